/* Records of an older schema in a database that a newer configuration opens; and types that are of some of their
 * table's records only. */
#include "database/lmdb_present.h"

#include "tests/lib/school.h"
#include "tests/lib/types.h"
#include "tests/lib/values.h"

#include <stdlib.h>

#define STUDENTS "  students: {schema: 1, fields: {name: text}}\n"
#define TYPES                                                                                                          \
        "types:\n"                                                                                                     \
        "  student: {shape: one, table: students}\n"                                                                   \
        "  shots: {shape: list, table: shots}\n"

static const char BEFORE[] = "tables:\n" STUDENTS "  shots: {schema: 1, fields: {label: text, state: text}}\n" TYPES;

static const char NOW[] =
        "tables:\n" STUDENTS "  shots:\n"
        "    schema: 2\n"
        "    changes: {2: {rename: {label: display}}}\n"
        "    fields: {display: text, state: {kind: word, words: [refused, given], preset: given}}\n" TYPES
        "  given: {shape: list, table: shots, where: {state: given}}\n"
        "  refused: {shape: list, table: shots, where: {state: refused}}\n"
        "  card: {shape: composite, parts: {given: {type: given, where: {display: 'T*'}}}}\n";

struct state {
        char path[64];
        struct record_types *types;
        struct source *source;
};

static void open_with(struct state *s, const char *configuration)
{
        struct lmdb_config config = school_config(s->path);

        s->types = types_from(configuration);
        config.schema.tables = record_types_tables(s->types);
        config.schema.table_count = record_types_table_count(s->types);
        config.schema.students = record_types_students(s->types);
        s->source = school_open(&config);
}

static void close_it(struct state *s)
{
        s->source->ops->close(&s->source);
        record_types_destroy(&s->types);
}

static const struct record_type *type_named(const struct state *s, const char *name)
{
        const struct record_type *type = record_types_find(s->types, slice_str(name));

        assert_non_null(type);
        return type;
}

static void put(struct state *s, const char *type, const char *json)
{
        school_must_put(s->source, type_named(s, type), "42", json);
}

static void expect(struct state *s, const char *type, const char *json)
{
        school_expect(s->source, type_named(s, type), "42", json);
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        (void)school_sound(s->source);
        close_it(s);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

#define T "{\"id\":\"t\",\"display\":\"Tetanus\",\"state\":\"given\"}"
#define M "{\"id\":\"m\",\"display\":\"Measles\",\"state\":\"refused\"}"
#define X "{\"id\":\"x\",\"display\":\"Td\",\"state\":\"given\"}"

static void older_records_are_read_in_their_present_form(void **state)
{
        struct state *s = *state;

        open_with(s, BEFORE);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots",
                "[{\"id\":\"t\",\"label\":\"Tetanus\"},{\"id\":\"m\",\"label\":\"Measles\",\"state\":\"refused\"}]");
        close_it(s);
        open_with(s, NOW);
        expect(s, "shots", "[" M "," T "]");
        expect(s, "given", "[" T "]");
        expect(s, "card", "{\"given\":[" T "]}");
        put(s, "given", "[" X "]"); /* takes the place of the older record, which has no state of its own */
        expect(s, "shots", "[" M "," X "]");
}

struct met {
        unsigned rows;
        const char *expected;
};

static enum err meet(void *context, const struct source_row *row)
{
        struct met *met = context;

        assert_value_is(row->map, met->expected);
        met->rows++;
        return OK;
}

/* What is exported, and what comes again, are compared with what readers see. */
static void older_records_are_walked_and_compared_in_their_present_form(void **state)
{
        struct state *s = *state;
        struct met met = {0, T};
        const struct source_walk walk = {.table = "shots", .visit = meet, .context = &met};
        struct source_write write;

        open_with(s, BEFORE);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots", "[{\"id\":\"t\",\"label\":\"Tetanus\"}]");
        close_it(s);
        open_with(s, NOW);
        assert_ok(s->source->ops->walk(s->source, &walk, NULL));
        assert_int_equal(met.rows, 1);
        assert_ok(school_import(s->source, &write, type_named(s, "shots")->table,
                "[{\"student\":\"42\",\"id\":\"t\",\"display\":\"Tetanus\"}]"));
        assert_int_equal(write.unchanged, 1);
        assert_int_equal(write.written, 0);
}

static void a_type_of_some_records_keeps_the_others(void **state)
{
        struct state *s = *state;
        struct source_write erase = {.kind = WRITE_ERASE};

        open_with(s, NOW);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots", "[" T "," M "]");
        put(s, "given", "[" X "]");
        expect(s, "shots", "[" M "," X "]");
        put(s, "refused", "[]");
        expect(s, "shots", "[" X "]");
        put(s, "refused", "[" M "]");
        erase.type = type_named(s, "given");
        erase.id = slice_str("42");
        assert_ok(school_apply(s->source, &erase));
        expect(s, "shots", "[" M "]");
        expect(s, "given", "[]");
}

static void a_record_that_a_type_does_not_show_is_not_replaced(void **state)
{
        struct state *s = *state;
        struct source_write write = {.type = NULL, .id = slice_str("42")};

        open_with(s, NOW);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots", "[" M "]");
        write.type = type_named(s, "given");
        assert_err(ERR_CONFLICT, school_put(s->source, &write, "[{\"id\":\"m\",\"display\":\"Measles\"}]"));
        assert_string_equal(write.message.text, "a record of that id is there, which this type does not show");
        expect(s, "shots", "[" M "]");
}

static void if_new_asks_for_what_the_type_shows(void **state)
{
        struct state *s = *state;
        struct source_write write = {.id = slice_str("42"), .condition = IF_NEW};

        open_with(s, NOW);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots", "[" M "]");
        write.type = type_named(s, "given");
        assert_ok(school_put(s->source, &write, "[" T "]"));
        assert_err(ERR_CONFLICT, school_put(s->source, &write, "[" X "]"));
        expect(s, "shots", "[" M "," T "]");
}

static enum err read_older(void *context)
{
        struct state *s = context;
        struct source_read read;
        enum err rc = school_read(s->source, type_named(s, "shots"), slice_str("42"), &read);

        buf_deinit(&read.value);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        struct state *s = *state;

        open_with(s, BEFORE);
        put(s, "student", "{\"name\":\"Ada\"}");
        put(s, "shots", "[{\"id\":\"t\",\"label\":\"Tetanus\"}]");
        close_it(s);
        open_with(s, NOW);
        each_allocation_fails(read_older, s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(older_records_are_read_in_their_present_form),
                TEST(older_records_are_walked_and_compared_in_their_present_form),
                TEST(a_type_of_some_records_keeps_the_others),
                TEST(a_record_that_a_type_does_not_show_is_not_replaced),
                TEST(if_new_asks_for_what_the_type_shows),
                TEST(survives_each_failing_allocation),
        };
#undef TEST

        return cmocka_run_group_tests(tests, NULL, NULL);
}
