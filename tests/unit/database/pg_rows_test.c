#include "database/pg_rows.h"

#include "tests/lib/pg_result.h"
#include "tests/lib/values.h"

static const struct slice IDS[] = {{(const uint8_t *)"1", 1}, {(const uint8_t *)"2", 1}, {(const uint8_t *)"3", 1}};
static const struct pg_rows_in OF_STUDENTS = {.subject = "student", .ids = IDS, .id_count = 3};
static const struct pg_rows_in EXISTENCE = {.ids = IDS, .id_count = 3};

#define COLUMNS(...) ((const struct result_column[]){__VA_ARGS__})
#define CELLS(...)   ((const char *const[]){__VA_ARGS__})
#define STUDENT                                                                                                        \
        {                                                                                                              \
                "student", PG_TYPE_TEXT                                                                                \
        }
#define FIELD(name)                                                                                                    \
        {                                                                                                              \
                name, PG_TYPE_INT4                                                                                     \
        }
#define VALID_UNTIL                                                                                                    \
        {                                                                                                              \
                "valid_until", PG_TYPE_TIMESTAMPTZ                                                                     \
        }

static void rows_are_grouped_in_their_order(void **state)
{
        PGresult *result = result_of(
                COLUMNS(FIELD("a"), STUDENT, FIELD("b")), 3, CELLS("1", "2", NULL, "2", "1", "20", "3", "2", "30"), 3);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_int_equal(rows.row_count, 3);
        assert_value_is(pg_rows_record(&rows, rows.of[0].first), "{\"a\":2,\"b\":20}");
        assert_int_equal(rows.rows[rows.of[0].first].next, PG_ROW_NONE);
        assert_value_is(pg_rows_record(&rows, rows.of[1].first), "{\"a\":1}");
        assert_value_is(pg_rows_record(&rows, rows.rows[rows.of[1].first].next), "{\"a\":3,\"b\":30}");
        assert_int_equal(rows.of[2].first, PG_ROW_NONE);
        assert_false(rows.of[2].seen || rows.strange || rows.limited);
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void rows_of_others_are_strange(void **state)
{
        PGresult *result = result_of(COLUMNS(STUDENT, FIELD("a")), 2, CELLS("01", "1", NULL, NULL, "1", "3"), 3);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_true(rows.strange);
        assert_slice_is(buf_slice(&rows.other), "01");
        assert_int_equal(rows.row_count, 1);
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void existence_has_no_records(void **state)
{
        PGresult *result = result_of(COLUMNS(FIELD("whatever")), 1, CELLS("1", "3"), 2);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &EXISTENCE, result));
        assert_true(rows.of[0].seen && !rows.of[1].seen && rows.of[2].seen);
        assert_int_equal(rows.row_count, 0);
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void valid_until_is_no_field(void **state)
{
        PGresult *result = result_of(COLUMNS(STUDENT, VALID_UNTIL, FIELD("a")), 3,
                CELLS("1", "1970-01-01 00:00:09+00", "1", "1", "1970-01-01 00:00:07+00", "2", "2", NULL, "3", "3",
                        "1970-01-01 00:00:05+00", NULL),
                4);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_true(rows.limited);
        assert_int_equal(rows.of[0].until, 7000000);
        assert_true(rows.of[1].until == INT64_MAX);
        assert_int_equal(rows.of[2].until, 5000000);
        assert_true(rows.of[2].seen);
        assert_int_equal(rows.of[2].first, PG_ROW_NONE); /* a row with valid_until alone is no record */
        assert_value_is(pg_rows_record(&rows, rows.of[0].first), "{\"a\":1}");
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void a_valid_until_that_is_no_time_is_past(void **state)
{
        PGresult *result =
                result_of(COLUMNS(STUDENT, {"valid_until", PG_TYPE_TEXT}), 2, CELLS("1", "2999-01-01 00:00:00+00"), 1);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_true(rows.of[0].until == INT64_MIN);
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void unreadable_results_are_told(void **state)
{
        PGresult *results[] = {
                result_of(COLUMNS(FIELD("a")), 1, CELLS("1"), 1), /* whose is it? */
                result_of(COLUMNS(STUDENT, FIELD("a"), FIELD("a")), 3, CELLS("1", "1", "2"), 1),
                PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK),
                result_of(COLUMNS(STUDENT, FIELD("a")), 2, CELLS("1", "1", NULL, "2"), 2), /* whose is the second? */
        };

        (void)state;
        for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
                struct pg_rows rows;

                pg_rows_init(&rows);
                assert_err(ERR_CORRUPT, pg_rows_take(&rows, &OF_STUDENTS, results[i]));
                pg_rows_deinit(&rows);
                PQclear(results[i]);
        }
}

static void a_row_without_fields_is_a_record_all_the_same(void **state)
{
        PGresult *result = result_of(COLUMNS(STUDENT, FIELD("a"), VALID_UNTIL), 3,
                CELLS("1", NULL, NULL, "2", NULL, "1970-01-01 00:00:05+00"), 2);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_value_is(pg_rows_record(&rows, rows.of[0].first), "{}");
        assert_int_equal(rows.of[1].first, PG_ROW_NONE); /* it was there to say until when there is none */
        pg_rows_deinit(&rows);
        PQclear(result);
}

static void a_bad_cell_is_its_student_s_alone(void **state)
{
        PGresult *result = result_of(COLUMNS(STUDENT, FIELD("a")), 2, CELLS("1", "x", "2", "2", "1", "1"), 3);
        struct pg_rows rows;

        (void)state;
        pg_rows_init(&rows);
        assert_ok(pg_rows_take(&rows, &OF_STUDENTS, result));
        assert_true(rows.damaged && rows.of[0].damaged && !rows.of[1].damaged);
        assert_value_is(pg_rows_record(&rows, rows.of[1].first), "{\"a\":2}");
        pg_rows_deinit(&rows);
        PQclear(result);
}

static enum err take(void *context)
{
        struct pg_rows rows;
        enum err rc;

        pg_rows_init(&rows);
        rc = pg_rows_take(&rows, &OF_STUDENTS, context);
        pg_rows_deinit(&rows);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        PGresult *result = result_of(COLUMNS(STUDENT, FIELD("a")), 2, CELLS("1", "1", "01", "2"), 2);

        (void)state;
        each_allocation_fails(take, result);
        PQclear(result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_are_grouped_in_their_order),
                cmocka_unit_test(rows_of_others_are_strange),
                cmocka_unit_test(existence_has_no_records),
                cmocka_unit_test(valid_until_is_no_field),
                cmocka_unit_test(a_valid_until_that_is_no_time_is_past),
                cmocka_unit_test(unreadable_results_are_told),
                cmocka_unit_test(a_row_without_fields_is_a_record_all_the_same),
                cmocka_unit_test(a_bad_cell_is_its_student_s_alone),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
