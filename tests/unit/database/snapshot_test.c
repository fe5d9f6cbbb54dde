#include "database/snapshot.h"

#include "tests/lib/test.h"

static void an_lmdb_read_contains_its_transaction_and_all_before(void **state)
{
        struct snapshot s = snapshot_of_txn(7);

        (void)state;
        assert_true(snapshot_has(&s, 1));
        assert_true(snapshot_has(&s, 7));
        assert_false(snapshot_has(&s, 8));
}

static void running_transactions_are_not_contained(void **state)
{
        const uint64_t running[] = {10, 12};
        struct snapshot s = snapshot_of_primary(10, 14, running, 2);

        (void)state;
        assert_true(snapshot_has(&s, 9));
        assert_false(snapshot_has(&s, 10));
        assert_true(snapshot_has(&s, 11));
        assert_false(snapshot_has(&s, 12));
        assert_true(snapshot_has(&s, 13));
        assert_false(snapshot_has(&s, 14));
}

static void a_long_list_is_cut_to_what_is_certain(void **state)
{
        uint64_t running[SNAPSHOT_MAX_RUNNING + 1];
        struct snapshot s;

        (void)state;
        for (uint64_t i = 0; i <= SNAPSHOT_MAX_RUNNING; i++)
                running[i] = 100 + 2 * i;
        s = snapshot_of_primary(100, 400, running, SNAPSHOT_MAX_RUNNING);
        assert_true(snapshot_has(&s, 101));
        assert_false(snapshot_has(&s, 100 + 2 * (SNAPSHOT_MAX_RUNNING - 1)));
        s = snapshot_of_primary(100, 400, running, SNAPSHOT_MAX_RUNNING + 1);
        assert_true(snapshot_has(&s, 99));
        assert_false(snapshot_has(&s, 101));
        assert_int_equal(s.running, 0);
}

/* A poll that was cut contains more than it claims: a read that lacks some of that must not seem to contain it. */
static void what_was_cut_is_contained_only_where_all_of_it_must_be(void **state)
{
        uint64_t running[SNAPSHOT_MAX_RUNNING + 1];
        struct snapshot poll;
        struct snapshot read;

        (void)state;
        for (uint64_t i = 0; i <= SNAPSHOT_MAX_RUNNING; i++)
                running[i] = 100 + 2 * i;
        poll = snapshot_of_primary(100, 400, running, SNAPSHOT_MAX_RUNNING + 1);
        read = snapshot_of_primary(100, 300, running, 1); /* before the poll: 399 had not ended */
        assert_false(snapshot_contains(&read, &poll));
        read = snapshot_of_primary(399, 500, (uint64_t[]){399}, 1);
        assert_false(snapshot_contains(&read, &poll));
        read = snapshot_of_primary(400, 400, NULL, 0);
        assert_true(snapshot_contains(&read, &poll));
        assert_false(snapshot_contains(&poll, &poll));
        assert_false(snapshot_has(&poll, 399));
}

static void of_a_replica_only_xmin_is_believed(void **state)
{
        struct snapshot s = snapshot_of_replica(10, 14);

        (void)state;
        assert_true(snapshot_has(&s, 9));
        assert_false(snapshot_has(&s, 11));
}

static void contains_itself_and_what_is_older(void **state)
{
        const uint64_t both[] = {10, 12};
        const uint64_t one[] = {12};
        struct snapshot old = snapshot_of_primary(10, 14, both, 2);
        struct snapshot new = snapshot_of_primary(12, 14, one, 1);

        (void)state;
        assert_true(snapshot_contains(&old, &old));
        assert_true(snapshot_contains(&new, &old));
        assert_false(snapshot_contains(&old, &new)); /* 10 had ended in new, and was running in old */
}

static void a_writer_that_began_after_the_inner_one_does_not_matter(void **state)
{
        const uint64_t running[] = {15};
        struct snapshot inner = snapshot_of_primary(14, 14, NULL, 0);
        struct snapshot outer = snapshot_of_primary(15, 17, running, 1);

        (void)state;
        assert_true(snapshot_contains(&outer, &inner));
        assert_false(snapshot_contains(&inner, &outer));
}

/* Of transactions 10 to 14, those whose bit is set in `running` have not ended; 15 is the next. */
static struct snapshot of_bits(unsigned running)
{
        uint64_t xip[5];
        size_t n = 0;

        for (unsigned i = 0; i < 5; i++) {
                if (running & 1u << i)
                        xip[n++] = 10 + i;
        }
        return snapshot_of_primary(n > 0 ? xip[0] : 15, 15, xip, n);
}

static void agrees_with_the_definition_on_all_small_snapshots(void **state)
{
        unsigned contained = 0;

        (void)state;
        for (unsigned a = 0; a < 32; a++) {
                for (unsigned b = 0; b < 32; b++) {
                        struct snapshot inner = of_bits(a);
                        struct snapshot outer = of_bits(b);
                        bool nothing_missing = (b & ~a) == 0;

                        assert_true(snapshot_contains(&outer, &inner) == nothing_missing);
                        contained += nothing_missing;
                }
        }
        assert_int_equal(contained, 3 * 3 * 3 * 3 * 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_lmdb_read_contains_its_transaction_and_all_before),
                cmocka_unit_test(running_transactions_are_not_contained),
                cmocka_unit_test(a_long_list_is_cut_to_what_is_certain),
                cmocka_unit_test(what_was_cut_is_contained_only_where_all_of_it_must_be),
                cmocka_unit_test(of_a_replica_only_xmin_is_believed),
                cmocka_unit_test(contains_itself_and_what_is_older),
                cmocka_unit_test(a_writer_that_began_after_the_inner_one_does_not_matter),
                cmocka_unit_test(agrees_with_the_definition_on_all_small_snapshots),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
