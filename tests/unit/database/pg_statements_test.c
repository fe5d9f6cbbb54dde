#include "database/pg_statements.h"

#include "tests/lib/test.h"

static struct hash128 id(uint64_t n)
{
        return (struct hash128){n, 7};
}

static struct pg_statements *table(uint32_t most)
{
        struct pg_statements *statements;

        assert_ok(pg_statements_create(&statements, most));
        return statements;
}

/* An exchange of one statement whose preparation succeeds. */
static struct pg_use use_alone(struct pg_statements *statements, uint64_t n)
{
        struct pg_use use;

        pg_statements_begin(statements);
        use = pg_statements_use(statements, id(n), 0);
        pg_statements_confirm(statements, use.number);
        return use;
}

static void is_prepared_once_and_then_used(void **state)
{
        struct pg_statements *statements = table(2);
        struct pg_use first = use_alone(statements, 1), again = use_alone(statements, 1);

        (void)state;
        assert_int_equal(first.kind, PG_USE_PREPARE);
        assert_int_equal(again.kind, PG_USE_PREPARED);
        assert_int_equal(again.number, first.number);
        assert_int_equal(pg_statements_count(statements), 1);
        pg_statements_destroy(&statements);
}

static void the_least_recently_used_one_makes_room(void **state)
{
        struct pg_statements *statements = table(2);
        uint32_t first = use_alone(statements, 1).number, second = use_alone(statements, 2).number;

        (void)state;
        use_alone(statements, 1);
        assert_int_equal(use_alone(statements, 3).kind, PG_USE_PREPARE);
        assert_int_equal(pg_statements_evicted(statements), second);
        assert_int_equal(pg_statements_evicted(statements), 0);
        assert_int_equal(use_alone(statements, 1).number, first);
        assert_int_equal(use_alone(statements, 2).kind, PG_USE_PREPARE);
        pg_statements_destroy(&statements);
}

static void an_exchange_does_not_evict_what_it_uses(void **state)
{
        struct pg_statements *statements = table(2);

        (void)state;
        pg_statements_begin(statements);
        assert_int_equal(pg_statements_use(statements, id(1), 0).kind, PG_USE_PREPARE);
        assert_int_equal(pg_statements_use(statements, id(2), 0).kind, PG_USE_PREPARE);
        assert_int_equal(pg_statements_use(statements, id(3), 0).kind, PG_USE_UNNAMED);
        assert_int_equal(pg_statements_evicted(statements), 0);
        pg_statements_destroy(&statements);
}

static void an_unconfirmed_one_serves_its_stretch_only(void **state)
{
        struct pg_statements *statements = table(2);
        struct pg_use use;

        (void)state;
        pg_statements_begin(statements);
        use = pg_statements_use(statements, id(1), 4);
        assert_int_equal(pg_statements_use(statements, id(1), 4).kind, PG_USE_PREPARED);
        assert_int_equal(pg_statements_use(statements, id(1), 5).kind, PG_USE_UNNAMED);
        pg_statements_confirm(statements, use.number);
        assert_int_equal(pg_statements_use(statements, id(1), 6).kind, PG_USE_PREPARED);
        pg_statements_destroy(&statements);
}

static void a_forgotten_one_is_prepared_anew(void **state)
{
        struct pg_statements *statements = table(2);
        uint32_t number = use_alone(statements, 1).number, later;

        (void)state;
        pg_statements_forget(statements, number, false);
        assert_int_equal(pg_statements_evicted(statements), 0);
        later = use_alone(statements, 1).number;
        assert_true(later != number);
        pg_statements_forget(statements, later, true);
        assert_int_equal(pg_statements_evicted(statements), later);
        pg_statements_forget(statements, later, true); /* unknown by now */
        pg_statements_confirm(statements, later);
        assert_int_equal(pg_statements_count(statements), 0);
        pg_statements_destroy(&statements);
}

static void evictions_that_nobody_takes_stop_at_a_limit(void **state)
{
        struct pg_statements *statements = table(1);
        uint64_t n = 1;

        (void)state;
        while (use_alone(statements, n).kind == PG_USE_PREPARE)
                n++;
        assert_int_equal(n, 4); /* one in the table, two waiting */
        assert_true(pg_statements_evicted(statements) != 0);
        assert_int_equal(use_alone(statements, n).kind, PG_USE_PREPARE);
        pg_statements_destroy(&statements);
}

static void a_new_session_has_none(void **state)
{
        struct pg_statements *statements = table(1);

        (void)state;
        use_alone(statements, 1);
        use_alone(statements, 2);
        pg_statements_clear(statements);
        assert_int_equal(pg_statements_evicted(statements), 0);
        assert_int_equal(use_alone(statements, 2).kind, PG_USE_PREPARE);
        pg_statements_destroy(&statements);
}

static void a_table_of_none_leaves_all_unnamed(void **state)
{
        struct pg_statements *statements = table(0);

        (void)state;
        assert_int_equal(use_alone(statements, 1).kind, PG_USE_UNNAMED);
        pg_statements_destroy(&statements);
        pg_statements_destroy(&statements); /* NULL-safe */
}

static enum err create_and_destroy(void *context)
{
        struct pg_statements *statements;
        enum err err = pg_statements_create(&statements, 4);

        (void)context;
        pg_statements_destroy(&statements);
        return err;
}

static void survives_want_of_memory(void **state)
{
        (void)state;
        each_allocation_fails(create_and_destroy, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_prepared_once_and_then_used),
                cmocka_unit_test(the_least_recently_used_one_makes_room),
                cmocka_unit_test(an_exchange_does_not_evict_what_it_uses),
                cmocka_unit_test(an_unconfirmed_one_serves_its_stretch_only),
                cmocka_unit_test(a_forgotten_one_is_prepared_anew),
                cmocka_unit_test(evictions_that_nobody_takes_stop_at_a_limit),
                cmocka_unit_test(a_new_session_has_none),
                cmocka_unit_test(a_table_of_none_leaves_all_unnamed),
                cmocka_unit_test(survives_want_of_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
