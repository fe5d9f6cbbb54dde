#include "cache/tally.h"
#include "base/hash.h"
#include "tests/lib/test.h"

#include <math.h>

static struct tally tally;

static int forget_all(void **state)
{
        (void)state;
        tally = (struct tally){.expected = 0};
        return 0;
}

static void a_full_sample_is_counted_exactly(void **state)
{
        struct whatif_figure first;
        struct whatif_figure second;

        (void)state;
        assert_close(tally_figure(&tally, 0, 1).hit_rate, 0, 1e-9);
        tally_lookup(&tally, 0, 3, 0);  /* not known yet … */
        tally_missed_bytes(&tally, 10); /* … how long it is; missed by all, as far as bytes go */
        tally_lookup(&tally, 0, 0, 10);
        tally_lookup(&tally, 1, 1, 20);
        tally_lookup(&tally, 1, 0, 40);
        tally_expect(&tally, 4, 80, 1);
        first = tally_figure(&tally, 0, 1);
        second = tally_figure(&tally, 1, 1);
        assert_close(first.hit_rate, 0.5, 1e-9);
        assert_close(first.byte_hit_rate, 50.0 / 80, 1e-9);
        assert_close(first.error, 0, 1e-9);
        assert_close(second.hit_rate, 0.75, 1e-9);
        assert_close(second.byte_hit_rate, 70.0 / 80, 1e-9);
}

static void what_was_missed_as_well_counts(void **state)
{
        (void)state;
        tally_lookup(&tally, 0, 1, 10);
        tally_missed_too(&tally, 0, 2, 10);
        tally_lookup(&tally, 0, 0, 10);
        tally_expect(&tally, 2, 20, 1);
        assert_close(tally_figure(&tally, 0, 1).hit_rate, 0.5, 1e-9);
        assert_close(tally_figure(&tally, 1, 1).hit_rate, 0.5, 1e-9);
        assert_close(tally_figure(&tally, 1, 1).byte_hit_rate, 0.5, 1e-9);
        assert_close(tally_figure(&tally, 2, 1).hit_rate, 1, 1e-9);
}

/* One key has half of all look-ups, and is not in the sample of a tenth: it was hit all the same. */
static void a_hot_key_outside_the_sample_is_taken_for_hit(void **state)
{
        struct whatif_figure figure;

        (void)state;
        for (int i = 0; i < 100; i++)
                tally_lookup(&tally, (unsigned)i % TALLY_GROUPS, i < 20 ? 1 : 0, 100);
        tally_expect(&tally, 2000, 400000, 0.1);
        figure = tally_figure(&tally, 0, 0.1);
        assert_close(figure.hit_rate, 0.9, 1e-9);
        assert_close(figure.byte_hit_rate, 0.95, 1e-9);
        assert_true(figure.error > 0);
}

static void what_fades_keeps_its_rates(void **state)
{
        (void)state;
        for (int i = 0; i < 100; i++)
                tally_lookup(&tally, 0, i < 25 ? 1 : 0, 8);
        tally_expect(&tally, 100, 800, 1);
        tally_fade(&tally, 0.5);
        assert_close(tally.seen, 50, 1e-9);
        assert_close(tally_figure(&tally, 0, 1).hit_rate, 0.75, 1e-9);
        assert_close(tally_figure(&tally, 0, 1).byte_hit_rate, 0.75, 1e-9);
        for (int i = 0; i < 50; i++)
                tally_lookup(&tally, 0, 1, 8);
        tally_expect(&tally, 50, 400, 1);
        assert_close(
                tally_figure(&tally, 0, 1).hit_rate, 0.375, 1e-9); /* the new half counts as much as the old whole */
}

enum { TRIALS = 2000, KEYS = 2000, MISSES_OF_EACH = 10, LOOKUPS = 1000000 };

/* A sample of KEYS keys that are missed ten times each: a lumpy one. */
static struct whatif_figure draw_sample(uint64_t *random, double rate)
{
        tally = (struct tally){.expected = 0};
        for (unsigned k = 0; k < KEYS; k++) {
                bool sampled = (double)(random_next(random) >> 11) * 0x1p-53 < rate;

                for (int i = 0; sampled && i < MISSES_OF_EACH; i++)
                        tally_lookup(&tally, k % TALLY_GROUPS, 1, 1);
        }
        tally_expect(&tally, LOOKUPS, LOOKUPS, rate);
        return tally_figure(&tally, 0, rate);
}

/* Of many samples, each with its own luck, the truth lies within the error of about 95 %. */
static void the_error_is_what_it_says(void **state)
{
        const double truth = 1 - (double)KEYS * MISSES_OF_EACH / LOOKUPS;
        uint64_t random = 11;
        int within = 0;

        (void)state;
        for (int t = 0; t < TRIALS; t++) {
                struct whatif_figure figure = draw_sample(&random, 0.05);

                within += fabs(figure.hit_rate - truth) <= figure.error ? 1 : 0;
        }
        assert_in_range(within, TRIALS * 90 / 100, TRIALS * 98 / 100);
}

static void rates_stay_between_none_and_all(void **state)
{
        (void)state;
        for (int i = 0; i < 100; i++)
                tally_lookup(&tally, 0, 1, 1);
        tally_expect(&tally, 90, 90, 1); /* the last ones were not yet told of */
        assert_close(tally_figure(&tally, 0, 1).hit_rate, 0, 1e-9);
        assert_close(tally_figure(&tally, 1, 1).hit_rate, 1, 1e-9);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_full_sample_is_counted_exactly, forget_all),
                cmocka_unit_test_setup(what_was_missed_as_well_counts, forget_all),
                cmocka_unit_test_setup(a_hot_key_outside_the_sample_is_taken_for_hit, forget_all),
                cmocka_unit_test_setup(what_fades_keeps_its_rates, forget_all),
                cmocka_unit_test_setup(the_error_is_what_it_says, forget_all),
                cmocka_unit_test_setup(rates_stay_between_none_and_all, forget_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
