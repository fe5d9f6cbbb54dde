#include "database/lmdb_walk.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdio.h>
#include <stdlib.h>

struct state {
        char path[64];
        struct source *source;
        struct buf met; /* "table/student/id " of each row */
        struct buf cursor;
        size_t count;
        size_t stop_after; /* 0: never */
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));
        struct lmdb_config config;

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        config = school_config(s->path);
        s->source = school_open(&config);
        buf_init(&s->met, 0);
        buf_init(&s->cursor, 0);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        buf_deinit(&s->met);
        buf_deinit(&s->cursor);
        s->source->ops->close(&s->source);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

static enum err on_row(void *context, const struct source_row *row)
{
        struct state *s = context;
        struct slice id;

        assert_true(value_member_text(row->map, "id", &id));
        assert_true(slice_equal(id, row->id));
        assert_ok(buf_printf(
                &s->met, "%.*s/%.*s/%.*s ", SLICE_ARG(row->table), SLICE_ARG(row->student), SLICE_ARG(row->id)));
        buf_truncate(&s->cursor, 0);
        assert_ok(buf_append_slice(&s->cursor, row->cursor));
        return ++s->count == s->stop_after ? ERR_LIMIT : OK;
}

static enum err walk(struct state *s, const char *table, struct slice student, struct slice after)
{
        const struct source_walk walk = {
                .table = table, .student = student, .after = after, .visit = on_row, .context = s};
        struct err_msg msg;

        buf_truncate(&s->met, 0);
        s->count = 0;
        return s->source->ops->walk(s->source, &walk, &msg);
}

static void met(struct state *s, const char *expected)
{
        assert_slice_is(buf_slice(&s->met), expected);
}

static void add_two_students(struct state *s)
{
        static const char *const allergies = "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"},"
                                             "{\"id\":\"b\",\"code\":\"1\",\"severity\":\"MILD\"}]";

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(s->source, &SCHOOL_STUDENT, "7", "{\"name\":\"Bob\"}");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", allergies);
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "7", allergies);
        school_must_put(s->source, &SCHOOL_VISIT_LIST, "42", "[{\"id\":\"v\"}]");
}

static void all_records_of_a_tenant_a_table_a_student_or_both(void **state)
{
        struct state *s = *state;

        assert_ok(walk(s, NULL, SLICE_EMPTY, SLICE_EMPTY));
        met(s, "");
        add_two_students(s);
        assert_ok(walk(s, NULL, SLICE_EMPTY, SLICE_EMPTY));
        met(s, "visits/42/v students/7/7 students/42/42 "
               "allergies/7/a allergies/7/b allergies/42/a allergies/42/b ");
        assert_ok(walk(s, "allergies", SLICE_EMPTY, SLICE_EMPTY));
        met(s, "allergies/7/a allergies/7/b allergies/42/a allergies/42/b ");
        assert_ok(walk(s, NULL, slice_str("42"), SLICE_EMPTY));
        met(s, "visits/42/v students/42/42 allergies/42/a allergies/42/b ");
        assert_ok(walk(s, NULL, slice_str("7"), SLICE_EMPTY));
        met(s, "students/7/7 allergies/7/a allergies/7/b ");
        assert_ok(walk(s, "allergies", slice_str("42"), SLICE_EMPTY));
        met(s, "allergies/42/a allergies/42/b ");
        assert_ok(walk(s, NULL, slice_str("nobody"), SLICE_EMPTY));
        met(s, "");
        assert_ok(walk(s, "no such table", SLICE_EMPTY, SLICE_EMPTY));
        met(s, "");
}

static bool is_no_visit(void *context, struct slice table)
{
        (void)context;
        return !slice_equal(table, slice_str("visits")) && !slice_equal(table, slice_str("students"));
}

static void tables_that_are_not_wanted_are_passed_over(void **state)
{
        struct state *s = *state;
        struct source_walk all = {.wants = is_no_visit, .visit = on_row, .context = s};

        add_two_students(s);
        assert_ok(s->source->ops->walk(s->source, &all, NULL));
        met(s, "allergies/7/a allergies/7/b allergies/42/a allergies/42/b ");
        buf_truncate(&s->met, 0);
        all.student = slice_str("7");
        assert_ok(s->source->ops->walk(s->source, &all, NULL));
        met(s, "allergies/7/a allergies/7/b ");
}

static void a_walk_goes_on_behind_a_cursor(void **state)
{
        struct state *s = *state;
        char kept[256];
        size_t len;

        add_two_students(s);
        s->stop_after = 2;
        assert_err(ERR_LIMIT, walk(s, NULL, slice_str("42"), SLICE_EMPTY)); /* the visitor's result */
        met(s, "visits/42/v students/42/42 ");
        len = buf_len(&s->cursor);
        assert_true(len < sizeof(kept));
        memcpy(kept, buf_slice(&s->cursor).data, len);
        s->stop_after = 0;
        assert_ok(walk(s, NULL, slice_str("42"), slice_of(kept, len)));
        met(s, "allergies/42/a allergies/42/b ");
        assert_ok(walk(s, "students", SLICE_EMPTY, slice_of(kept, len)));
        met(s, "");
}

static void long_ids_are_met_whole(void **state)
{
        struct state *s = *state;
        char id[101] = "";
        char json[160];

        memset(id, 'x', 100);
        (void)snprintf(json, sizeof(json), "[{\"id\":\"%s\"}]", id);
        school_must_put(s->source, &SCHOOL_STUDENT, id, "{\"name\":\"Long\"}");
        school_must_put(s->source, &SCHOOL_VISIT_LIST, id, json);
        assert_ok(walk(s, "visits", slice_str(id), SLICE_EMPTY));
        (void)snprintf(json, sizeof(json), "visits/%s/", id);
        assert_memory_equal(buf_slice(&s->met).data, json, strlen(json));
        assert_int_equal(s->count, 1);
        id[99] = 'y';
        assert_ok(walk(s, NULL, slice_str(id), SLICE_EMPTY));
        met(s, "");
}

/* More rows than a chunk has room for, by number and by size. */
static void many_rows_come_once_each_in_order(void **state)
{
        enum { ROWS = 1000 };
        struct state *s = *state;
        struct source_write write;
        struct buf json;
        struct buf expected;

        buf_init(&json, 0);
        buf_init(&expected, 0);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        for (int i = 0; i < ROWS; i++) {
                assert_ok(buf_printf(&json, "%s{\"student\":\"42\",\"id\":\"%04d\",\"reason\":\"%0*d\"}",
                        i == 0 ? "[" : ",", i, i < ROWS / 2 ? 1 : 500, 0));
                assert_ok(buf_printf(&expected, "visits/42/%04d ", i));
        }
        assert_ok(buf_append(&json, "]", 2)); /* and its end */
        assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, (const char *)buf_slice(&json).data));
        assert_ok(buf_append(&expected, "", 1));
        assert_ok(walk(s, "visits", SLICE_EMPTY, SLICE_EMPTY));
        met(s, (const char *)buf_slice(&expected).data);
        buf_deinit(&json);
        buf_deinit(&expected);
}

static const struct record_field WITH_ORIGINAL[] = {
        {"id", FIELD_TEXT, true, NULL, NULL, 0},
        {"resource", FIELD_ORIGINAL, false, NULL, NULL, 0},
};

static enum err on_original(void *context, const struct source_row *row)
{
        struct slice none;

        assert_false(value_member(row->map, "resource", &none)); /* it is no part of what is served */
        return buf_append_slice(&((struct state *)context)->met, row->original);
}

static void originals_come_back_with_their_records(void **state)
{
        static const char *const rows = "[{\"student\":\"42\",\"id\":\"a\",\"resource\":\"{\\\"n\\\":1.0}\"},"
                                        "{\"student\":\"42\",\"id\":\"b\"}]";
        struct record_table visits = SCHOOL_VISITS;
        struct state *s = *state;
        const struct source_walk walk = {.table = "visits", .visit = on_original, .context = s};
        struct source_write write;

        visits.fields = WITH_ORIGINAL;
        visits.field_count = 2;
        visits.activity_field = NULL;
        visits.original_field = "resource";
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        assert_ok(school_import(s->source, &write, &visits, rows));
        assert_int_equal(write.written, 2);
        assert_ok(s->source->ops->walk(s->source, &walk, NULL));
        met(s, "{\"n\":1.0}");
}

static void a_cursor_that_cannot_be_one_is_refused(void **state)
{
        struct state *s = *state;
        char bytes[600];

        memset(bytes, 'x', sizeof(bytes));
        assert_err(ERR_BADARG, walk(s, NULL, SLICE_EMPTY, slice_of(bytes, sizeof(bytes))));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(all_records_of_a_tenant_a_table_a_student_or_both),
                TEST(tables_that_are_not_wanted_are_passed_over),
                TEST(a_walk_goes_on_behind_a_cursor),
                TEST(long_ids_are_met_whole),
                TEST(many_rows_come_once_each_in_order),
                TEST(originals_come_back_with_their_records),
                TEST(a_cursor_that_cannot_be_one_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
