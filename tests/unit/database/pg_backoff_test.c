#include "database/pg_backoff.h"

#include "base/hash.h"
#include "tests/lib/test.h"

static int64_t window_ms(uint32_t failures)
{
        static const int64_t windows[] = {50, 100, 200, 400, 800, 1600, 3200};

        return failures <= 7 ? windows[failures - 1] : 5000;
}

static void stays_within_a_window_that_doubles(void **state)
{
        uint64_t seed = 1;

        (void)state;
        for (uint32_t failures = 1; failures < 40; failures++) {
                int64_t longest = 0, window = window_ms(failures) * NANOS_PER_MS;

                for (int i = 0; i < 1000; i++) {
                        int64_t span = pg_backoff(failures, random_next(&seed)).ns;

                        assert_in_range(span, 0, window);
                        longest = span > longest ? span : longest;
                }
                assert_true(longest > window / 2); /* all of the window is used */
        }
        assert_in_range(pg_backoff(UINT32_MAX, UINT64_MAX).ns, 0, 5000 * NANOS_PER_MS);
}

static void is_spread_evenly(void **state)
{
        uint64_t seed = 2;
        int early = 0;

        (void)state;
        for (int i = 0; i < 10000; i++)
                early += pg_backoff(3, random_next(&seed)).ns < 50 * NANOS_PER_MS;
        assert_in_range(early, 2300, 2700); /* a quarter of 200 ms */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(stays_within_a_window_that_doubles),
                cmocka_unit_test(is_spread_evenly),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
