#include "database/lmdb_index.h"
#include "tests/lib/school.h"

#include <stdio.h>
#include <stdlib.h>

struct state {
        char path[64];
        struct lmdb_config config;
        struct source *source;
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->config = school_config(s->path);
        s->source = school_open(&s->config);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(s->source, &SCHOOL_STUDENT, "7", "{\"name\":\"Bob\"}");
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        school_end(&s->source, s->path);
        free(s);
        return 0;
}

/* ---- walking, into text: "student student …" ---- */

struct met {
        struct source *source;
        char text[256];
        size_t rows;
        size_t stop_after;
};

static bool on_row(void *context, struct slice student)
{
        struct met *met = context;
        size_t len = strlen(met->text);

        if (len + student.len + 2 < sizeof(met->text))
                (void)snprintf(
                        met->text + len, sizeof(met->text) - len, "%s%.*s", len == 0 ? "" : " ", SLICE_ARG(student));
        return ++met->rows != met->stop_after;
}

static void meets(struct state *s, enum source_index index, const struct record_table *table, const char *expected)
{
        struct met met = {.source = s->source};
        const struct source_scan scan = {index, table, SLICE_EMPTY, on_row, &met};

        assert_ok(s->source->ops->scan(s->source, &scan, NULL));
        assert_string_equal(met.text, expected);
}

static void activity_comes_newest_first_through_all_changes(void **state)
{
        struct state *s = *state;
        struct source_write erase = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("42")};

        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "7", "[{\"id\":\"c\"}]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, ""); /* who has no time is not in it */
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42",
                "[{\"id\":\"a\",\"date\":\"1969-07\"},{\"id\":\"b\",\"date\":\"2022\"},{\"id\":\"c\"}]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "7", "[{\"id\":\"a\",\"date\":\"2021-06-01T10:00:00Z\"}]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "42 7");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", /* the newest goes */
                "[{\"id\":\"a\",\"date\":\"1969-07\"},{\"id\":\"c\"}]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "7 42");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", /* the only one becomes newer */
                "[{\"id\":\"a\",\"date\":\"2023\"},{\"id\":\"c\",\"date\":\"2020\"}]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "42 7");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "7");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"a\",\"date\":\"2023\"}]");
        assert_ok(school_apply(s->source, &erase));
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "7");
}

static void an_import_moves_a_student_up_and_never_down(void **state)
{
        struct state *s = *state;
        struct source_write write;
        const char *const rows[] = {"[{\"student\":\"42\",\"id\":\"a\",\"date\":\"2020\"}]",
                "[{\"student\":\"7\",\"id\":\"a\",\"date\":\"2021\"}]",
                "[{\"student\":\"7\",\"id\":\"b\",\"date\":\"2019\"}]",
                "[{\"student\":\"42\",\"id\":\"b\",\"date\":\"2022\"}]",
                "[{\"student\":\"42\",\"id\":\"b\",\"date\":\"2018\"}]"};
        const char *const expected[] = {"42", "7 42", "7 42", "42 7", "7 42"}; /* at last it is no more from 2022 */

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, rows[i]));
                meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, expected[i]);
                (void)school_sound(s->source);
        }
}

static void severity_comes_active_first_and_worst_first(void **state)
{
        struct state *s = *state;

        school_must_put(s->source, &SCHOOL_STUDENT, "9", "{\"name\":\"Cy\"}");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42",
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\",\"status\":\"active\"},"
                "{\"id\":\"b\",\"code\":\"1\",\"severity\":\"SEVERE\",\"status\":\"inactive\"}]");
        school_must_put(
                s->source, &SCHOOL_ALLERGY_LIST, "9", "[{\"id\":\"c\",\"code\":\"1\",\"severity\":\"SEVERE\"}]");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "7",
                "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"SEVERE\",\"status\":\"active\"}]");
        meets(s, INDEX_SEVERITY, &SCHOOL_ALLERGIES, "7 42 9");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "7", "[]");
        meets(s, INDEX_SEVERITY, &SCHOOL_ALLERGIES, "42 9");
}

static void a_table_without_that_index_is_refused(void **state)
{
        struct state *s = *state;
        struct met met = {.source = s->source};
        struct err_msg msg;
        const struct source_scan scan = {INDEX_SEVERITY, &SCHOOL_VISITS, SLICE_EMPTY, on_row, &met};

        assert_err(ERR_BADARG, s->source->ops->scan(s->source, &scan, &msg));
        assert_non_null(strstr(msg.text, "visits has no index by severity"));
}

/* ---- many rows, long ids, visitors that write ---- */

static void add_visits(struct state *s, int count)
{
        static char json[100000];
        size_t len = 0;
        struct source_write write;

        for (int i = 0; i < count; i++)
                len += (size_t)snprintf(
                        json + len, sizeof(json) - len, "%s{\"id\":\"s%d\",\"name\":\"X\"}", i == 0 ? "[" : ",", i);
        (void)snprintf(json + len, sizeof(json) - len, "]");
        assert_ok(school_import(s->source, &write, &SCHOOL_STUDENTS, json));
        len = 0;
        for (int i = 0; i < count; i++)
                len += (size_t)snprintf(json + len, sizeof(json) - len,
                        "%s{\"student\":\"s%d\",\"id\":\"r\",\"date\":\"2020\"}", i == 0 ? "[" : ",", i);
        (void)snprintf(json + len, sizeof(json) - len, "]");
        assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, json));
        assert_int_equal(write.written, count);
}

static void walks_over_many_chunks_and_stops_when_told(void **state)
{
        struct state *s = *state;
        struct met met = {.source = s->source};
        const struct source_scan scan = {INDEX_ACTIVITY, &SCHOOL_VISITS, SLICE_EMPTY, on_row, &met};

        add_visits(s, 2 * LMDB_SCAN_CHUNK);
        assert_ok(s->source->ops->scan(s->source, &scan, NULL));
        assert_int_equal(met.rows, 2 * LMDB_SCAN_CHUNK);
        met = (struct met){.source = s->source, .stop_after = LMDB_SCAN_CHUNK + 3};
        assert_ok(s->source->ops->scan(s->source, &scan, NULL));
        assert_int_equal(met.rows, LMDB_SCAN_CHUNK + 3);
}

static bool erase_it(void *context, struct slice student)
{
        struct met *met = context;
        const struct source_write write = {.kind = WRITE_ERASE, .type = &SCHOOL_VISIT_LIST, .id = student};
        struct source_write own = write;

        met->rows++;
        return school_apply(met->source, &own) == OK;
}

/* A visitor may wait for a write, even for one that waits for all reads to end because the map must grow. */
static void a_visitor_may_write(void **state)
{
        struct state *s = *state;
        struct met met = {.source = s->source};
        const struct source_scan scan = {INDEX_ACTIVITY, &SCHOOL_VISITS, SLICE_EMPTY, erase_it, &met};

        add_visits(s, 2 * LMDB_SCAN_CHUNK + 10);
        assert_ok(s->source->ops->scan(s->source, &scan, NULL));
        assert_int_equal(met.rows, 2 * LMDB_SCAN_CHUNK + 10);
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "");
}

static void long_and_packed_ids_come_whole(void **state)
{
        static const char *const uuid = "0123abcd-4567-89ef-0123-456789abcdef";
        struct state *s = *state;
        char id[101];
        char json[256];

        memset(id, 'x', 100);
        id[100] = '\0';
        school_must_put(s->source, &SCHOOL_STUDENT, id, "{\"name\":\"Long\"}");
        (void)snprintf(json, sizeof(json), "[{\"id\":\"%s\",\"date\":\"2020\"}]", id);
        school_must_put(s->source, &SCHOOL_VISIT_LIST, id, json);
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, id);
        school_must_put(s->source, &SCHOOL_VISIT_LIST, id, "[]");
        school_must_put(s->source, &SCHOOL_STUDENT, uuid, "{\"name\":\"Short\"}");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, uuid, "[{\"id\":\"v\",\"date\":\"2020\"}]");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, uuid);
}

static enum err scan_all(void *context)
{
        struct state *s = context;
        struct met met = {.source = s->source};
        const struct source_scan scan = {INDEX_ACTIVITY, &SCHOOL_VISITS, SLICE_EMPTY, on_row, &met};

        return s->source->ops->scan(s->source, &scan, NULL);
}

static void survives_each_failing_allocation(void **state)
{
        add_visits(*state, 20);
        each_allocation_fails(scan_all, *state);
}

/* ---- other indexes in another configuration ---- */

static void reopen(struct state *s)
{
        s->source->ops->close(&s->source);
        s->source = school_open(&s->config);
}

static void indexes_are_built_anew_when_the_configuration_wants_others(void **state)
{
        static const char *const turned[] = {"SEVERE", "MODERATE", "MILD", "UNKNOWN", NULL};
        struct state *s = *state;
        struct record_field fields[4];
        struct record_table allergies = SCHOOL_ALLERGIES;
        struct record_table visits = SCHOOL_VISITS;
        const struct record_table *tables[] = {&SCHOOL_STUDENTS, &allergies, &visits};
        uint64_t position;

        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        school_must_put(
                s->source, &SCHOOL_ALLERGY_LIST, "7", "[{\"id\":\"b\",\"code\":\"1\",\"severity\":\"SEVERE\"}]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\",\"date\":\"2020\"}]");
        meets(s, INDEX_SEVERITY, &allergies, "7 42");
        position = school_sound(s->source).last_position;
        reopen(s);
        assert_int_equal(school_sound(s->source).last_position, position); /* nothing to build */
        memcpy(fields, SCHOOL_ALLERGIES.fields, sizeof(fields));
        fields[2].words = turned; /* the same words, ranked the other way round */
        allergies.fields = fields;
        visits.activity_field = NULL;
        s->config.schema.tables = tables;
        reopen(s);
        meets(s, INDEX_SEVERITY, &allergies, "42 7");
        (void)school_sound(s->source);
        s->config.schema = school_config(s->path).schema;
        reopen(s);
        meets(s, INDEX_SEVERITY, &SCHOOL_ALLERGIES, "7 42");
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "42");
}

/* Erasing a student takes what a table holds that is no longer configured, too. */
static void a_table_that_is_configured_no_more_is_kept_until_erased(void **state)
{
        struct state *s = *state;
        struct source_write erase = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("42")};

        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\",\"date\":\"2020\"}]");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "7", "[{\"id\":\"w\",\"date\":\"2020\"}]");
        s->config.schema.table_count = 2;
        reopen(s);
        assert_int_equal(school_sound(s->source).records, 4);
        assert_ok(school_apply(s->source, &erase));
        assert_int_equal(school_sound(s->source).records, 2);
        s->config.schema.table_count = 3;
        reopen(s);
        meets(s, INDEX_ACTIVITY, &SCHOOL_VISITS, "7");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(activity_comes_newest_first_through_all_changes),
                TEST(an_import_moves_a_student_up_and_never_down),
                TEST(severity_comes_active_first_and_worst_first),
                TEST(a_table_without_that_index_is_refused),
                TEST(walks_over_many_chunks_and_stops_when_told),
                TEST(a_visitor_may_write),
                TEST(long_and_packed_ids_come_whole),
                TEST(survives_each_failing_allocation),
                TEST(indexes_are_built_anew_when_the_configuration_wants_others),
                TEST(a_table_that_is_configured_no_more_is_kept_until_erased),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
