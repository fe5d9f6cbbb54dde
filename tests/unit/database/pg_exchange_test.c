#include "database/pg_exchange.h"

#include "tests/lib/test.h"

static void the_same_text_is_the_same_statement(void **state)
{
        char copy[] = "SELECT 1";
        struct pg_statement a, b, c;

        (void)state;
        pg_statement_init(&a, "SELECT 1", "a");
        pg_statement_init(&b, copy, "b");
        pg_statement_init(&c, "SELECT 2", "a");
        assert_true(a.id.high == b.id.high && a.id.low == b.id.low);
        assert_false(a.id.high == c.id.high && a.id.low == c.id.low);
        assert_false(a.once || a.binary_results);
}

static void each_failure_has_words(void **state)
{
        (void)state;
        for (enum pg_failure failure = PG_FAILURE_NONE; failure <= PG_FAILURE_MEMORY; failure++) {
                assert_non_null(pg_failure_name(failure));
                assert_non_null(pg_failure_text(failure));
                assert_null(strchr(pg_failure_name(failure), ' ')); /* one word, for logs */
        }
}

static void a_result_without_an_error_has_no_sqlstate(void **state)
{
        PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
        char sqlstate[6] = "00000";

        (void)state;
        assert_non_null(result);
        pg_sqlstate(result, sqlstate);
        assert_string_equal(sqlstate, "");
        PQclear(result);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_text_is_the_same_statement),
                cmocka_unit_test(each_failure_has_words),
                cmocka_unit_test(a_result_without_an_error_has_no_sqlstate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
