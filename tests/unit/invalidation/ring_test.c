#include "invalidation/ring.h"

#include "tests/lib/test.h"

static struct ring *ring;

static int make(void **state)
{
        (void)state;
        return ring_create(&ring, 3) == OK ? 0 : -1;
}

static int unmake(void **state)
{
        (void)state;
        ring_destroy(&ring);
        return 0;
}

static void add(uint64_t number, uint64_t xmax)
{
        const struct snapshot s = snapshot_of_primary(xmax, xmax, NULL, 0);

        ring_add(ring, (struct position){number}, &s);
}

static uint64_t contained_in(uint64_t xmax)
{
        const struct snapshot s = snapshot_of_primary(xmax, xmax, NULL, 0);

        return ring_contained(ring, &s).n;
}

static void the_newest_poll_contained_is_found(void **state)
{
        (void)state;
        assert_true(contained_in(100) == 0);
        add(1, 10);
        add(2, 20);
        assert_true(contained_in(9) == 0);
        assert_true(contained_in(10) == 1);
        assert_true(contained_in(19) == 1);
        assert_true(contained_in(100) == 2);
}

static void a_writer_that_was_running_for_the_read_but_not_for_the_poll_keeps_the_poll_out(void **state)
{
        const uint64_t running[] = {15};
        const struct snapshot poll = snapshot_of_primary(20, 20, NULL, 0);
        const struct snapshot read = snapshot_of_primary(15, 20, running, 1);

        (void)state;
        add(1, 12);
        ring_add(ring, (struct position){2}, &poll);
        assert_true(ring_contained(ring, &read).n == 1);
}

static void a_poll_with_too_many_writers_is_not_found_in_a_read_from_before_it(void **state)
{
        uint64_t running[SNAPSHOT_MAX_RUNNING + 1];
        struct snapshot poll;
        struct snapshot read;

        (void)state;
        for (uint64_t i = 0; i <= SNAPSHOT_MAX_RUNNING; i++)
                running[i] = 20 + i;
        poll = snapshot_of_primary(20, 200, running, SNAPSHOT_MAX_RUNNING + 1);
        read = snapshot_of_primary(20, 150, running, 1);
        add(1, 12);
        ring_add(ring, (struct position){2}, &poll);
        assert_true(ring_contained(ring, &read).n == 1);
        assert_false(ring_has(ring, 150));
        assert_true(contained_in(200) == 2);
}

static void only_the_last_polls_are_kept(void **state)
{
        (void)state;
        for (uint64_t k = 1; k <= 4; k++)
                add(k, 10 * k);
        assert_true(contained_in(10) == 0);
        assert_true(contained_in(20) == 2);
        assert_true(contained_in(40) == 4);
}

static void has_what_any_poll_contains(void **state)
{
        (void)state;
        assert_false(ring_has(ring, 1));
        add(1, 10);
        add(2, 20);
        assert_true(ring_has(ring, 19));
        assert_false(ring_has(ring, 20));
}

static void cleared_it_knows_nothing_and_starts_again(void **state)
{
        (void)state;
        add(1, 10);
        ring_clear(ring);
        assert_true(contained_in(100) == 0);
        assert_false(ring_has(ring, 1));
        add(2, 5);
        assert_true(contained_in(5) == 2);
}

static enum err create_one(void *context)
{
        struct ring *r;
        enum err rc = ring_create(&r, 4);

        (void)context;
        ring_destroy(&r);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(create_one, NULL);
}

#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_RING(the_newest_poll_contained_is_found),
                WITH_RING(a_writer_that_was_running_for_the_read_but_not_for_the_poll_keeps_the_poll_out),
                WITH_RING(a_poll_with_too_many_writers_is_not_found_in_a_read_from_before_it),
                WITH_RING(only_the_last_polls_are_kept),
                WITH_RING(has_what_any_poll_contains),
                WITH_RING(cleared_it_knows_nothing_and_starts_again),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
