#include "bench/schedule.h"

#include "base/hash.h"
#include "tests/lib/test.h"

static void no_error_adds_up(void **state)
{
        const struct schedule s = {.start = {1000}, .rate = 30000};

        (void)state;
        assert_int_equal(schedule_time(&s, 0).ns, 1000);
        assert_int_equal(schedule_time(&s, 1).ns, 1000 + 33333);
        assert_int_equal(schedule_time(&s, 3).ns, 1000 + 100000);
        /* ten years of it, to the nanosecond */
        assert_true(schedule_time(&s, UINT64_C(30000) * 315360000).ns == 1000 + INT64_C(315360000) * NANOS_PER_S);
}

static void nothing_is_due_before_the_start(void **state)
{
        const struct schedule s = {.start = {1000}, .rate = 7};

        (void)state;
        assert_int_equal(schedule_due(&s, (struct nanos){0}), 0);
        assert_int_equal(schedule_due(&s, (struct nanos){999}), 0);
        assert_int_equal(schedule_due(&s, (struct nanos){1000}), 1);
}

/* What is due at a moment are exactly the requests whose time is not after it. */
static void due_and_time_agree(void **state)
{
        uint64_t seed = 5;

        (void)state;
        for (int i = 0; i < 100000; i++) {
                const struct schedule s = {
                        .start = {(int64_t)(random_next(&seed) >> 16)}, .rate = 1 + random_next(&seed) % 50000000};
                const struct nanos now = {s.start.ns + (int64_t)(random_next(&seed) >> 24)};
                const uint64_t due = schedule_due(&s, now);

                assert_true(due > 0);
                assert_false(nanos_before(now, schedule_time(&s, due - 1)));
                assert_true(nanos_before(now, schedule_time(&s, due)));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_error_adds_up),
                cmocka_unit_test(nothing_is_due_before_the_start),
                cmocka_unit_test(due_and_time_agree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
