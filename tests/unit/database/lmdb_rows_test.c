#include "database/lmdb_rows.h"
#include "database/lmdb_key.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <stdio.h>

static const struct lmdb_row_maker *maker(void)
{
        static struct lmdb_config config;
        static struct lmdb_row_maker made;

        config = school_config("");
        made.schema = &config.schema; /* no test here has originals */
        return &made;
}

/* Rows of a PUT of visits, or of an IMPORT into `table`; value must outlive them. */
static enum err rows_of(struct lmdb_rows *rows, struct buf *value, const struct record_table *table, const char *json)
{
        struct source_write write = {.kind = table == NULL ? WRITE_PUT : WRITE_IMPORT,
                .type = &SCHOOL_VISIT_LIST,
                .table = table,
                .id = slice_str("42")};

        buf_init(value, 0);
        append_json(value, json);
        write.value = buf_slice(value);
        return lmdb_rows_make(rows, &write, maker(), NULL);
}

static void rows_come_in_the_order_of_their_keys(void **state)
{
        struct lmdb_rows rows;
        struct buf value;

        (void)state;
        assert_ok(rows_of(&rows, &value, &SCHOOL_VISITS,
                "[{\"student\":\"b\",\"id\":\"2\",\"n\":0},{\"student\":\"a\",\"id\":\"9\",\"n\":1},"
                "{\"student\":\"b\",\"id\":\"1\",\"n\":2},{\"student\":\"b\",\"id\":\"2\",\"n\":3}]"));
        assert_int_equal(rows.count, 3);
        assert_slice_is(rows.row[0].student, "a");
        assert_value_is(rows.row[0].map, "{\"id\":\"9\",\"n\":1}");
        assert_value_is(rows.row[1].map, "{\"id\":\"1\",\"n\":2}");
        assert_value_is(rows.row[2].map, "{\"id\":\"2\",\"n\":0}"); /* of twins the earlier one */
        assert_int_equal(rows.row[2].at, 0);
        assert_int_equal(buf_len(&rows.rejects), sizeof(struct source_reject));
        lmdb_rows_deinit(&rows);
        assert_int_equal(rows.count, 0);
        buf_deinit(&value);
}

static void a_row_is_found_by_what_its_id_is_stored_as(void **state)
{
        char id[101];
        char json[256];
        struct lmdb_rows rows;
        struct lmdb_key key;
        struct lmdb_key_parts parts;
        struct buf value;

        (void)state;
        memset(id, 'x', 100);
        id[100] = '\0';
        (void)snprintf(json, sizeof(json), "[{\"id\":\"b\"},{\"id\":\"%s\"},{\"id\":\"a\"}]", id);
        assert_ok(rows_of(&rows, &value, NULL, json));
        assert_ptr_equal(lmdb_rows_find(&rows, slice_str("a")), &rows.row[0]);
        assert_ptr_equal(lmdb_rows_find(&rows, slice_str("b")), &rows.row[1]);
        assert_null(lmdb_rows_find(&rows, slice_str("c")));
        lmdb_key_student(&key, SLICE_EMPTY, "visits", slice_str("42"));
        lmdb_key_add_record(&key, slice_str(id));
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        assert_ptr_equal(lmdb_rows_find(&rows, parts.record), &rows.row[2]);
        id[99] = 'y';
        lmdb_key_student(&key, SLICE_EMPTY, "visits", slice_str("42"));
        lmdb_key_add_record(&key, slice_str(id));
        assert_true(lmdb_key_split(lmdb_key_slice(&key), 0, &parts));
        assert_null(lmdb_rows_find(&rows, parts.record));
        lmdb_rows_deinit(&rows);
        assert_null(lmdb_rows_find(&rows, slice_str("a")));
        buf_deinit(&value);
}

static void values_of_another_form_are_refused(void **state)
{
        const char *const wrong[] = {"{}", "7", "[7]", "[{\"name\":\"no id\"}]", "[{\"id\":7}]"};
        enum { NO_LISTS = 2 }; /* of them; the others are lists, whose rows alone are left out of an IMPORT */
        struct lmdb_rows rows;
        struct buf value;

        (void)state;
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
                assert_err(ERR_BADVALUE, rows_of(&rows, &value, NULL, wrong[i]));
                assert_null(rows.row);
                buf_deinit(&value);
                assert_err(i < NO_LISTS ? ERR_BADVALUE : OK, rows_of(&rows, &value, &SCHOOL_VISITS, wrong[i]));
                assert_int_equal(rows.count, 0);
                lmdb_rows_deinit(&rows);
                buf_deinit(&value);
        }
}

static void a_single_record_has_the_id_of_its_student(void **state)
{
        struct source_write write = {.kind = WRITE_PUT, .type = &SCHOOL_STUDENT, .id = slice_str("42")};
        struct lmdb_rows rows;
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"id\":\"42\",\"name\":\"Ada\"}");
        write.value = buf_slice(&value);
        assert_ok(lmdb_rows_make(&rows, &write, maker(), NULL));
        assert_int_equal(rows.count, 1);
        lmdb_rows_deinit(&rows);
        write.id = slice_str("43");
        assert_err(ERR_BADVALUE, lmdb_rows_make(&rows, &write, maker(), NULL));
        buf_deinit(&value);
}

static void a_count_that_the_bytes_cannot_hold_allocates_nothing(void **state)
{
        struct source_write write = {.kind = WRITE_PUT,
                .type = &SCHOOL_VISIT_LIST,
                .id = slice_str("42"),
                .value = slice_of("\xdd\xff\xff\xff\xff", 5)};
        struct lmdb_rows rows;

        (void)state;
        assert_err(ERR_BADVALUE, lmdb_rows_make(&rows, &write, maker(), NULL));
        assert_null(rows.row);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_come_in_the_order_of_their_keys),
                cmocka_unit_test(a_row_is_found_by_what_its_id_is_stored_as),
                cmocka_unit_test(values_of_another_form_are_refused),
                cmocka_unit_test(a_single_record_has_the_id_of_its_student),
                cmocka_unit_test(a_count_that_the_bytes_cannot_hold_allocates_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
