#include "cache/imagined.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { SAMPLES = 1024 };

static struct whatif_totals totals;
static struct imagined im;

static void read_totals(void *context, struct whatif_totals *out)
{
        (void)context;
        *out = totals;
}

static const struct imagined_config config = {.samples = SAMPLES, .totals = read_totals};

static int set_up(void **state)
{
        (void)state;
        totals = (struct whatif_totals){.lookups = 0};
        assert_ok(imagined_init(&im, &config));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        imagined_deinit(&im);
        return 0;
}

static void take(enum sample_kind kind, uint32_t hash, uint32_t weight, uint32_t now)
{
        const struct sample sample = {kind, hash, weight, weight, now + 100}; /* it lives for 100 ticks */

        imagined_take(&im, &sample, now);
}

/* What L1 tells of a read, where it has the entry or not. */
static void read_key(uint32_t hash, uint32_t weight, bool l1_has_it, uint32_t now)
{
        totals.lookups++;
        totals.bytes += weight;
        if (l1_has_it) {
                take(SAMPLE_HIT, hash, weight, now);
                return;
        }
        take(SAMPLE_MISS, hash, 0, now);
        take(SAMPLE_PUT, hash, weight, now);
}

static double at_size(unsigned number)
{
        imagined_settle(&im);
        return imagined_size_figure(&im, number).hit_rate;
}

/* A cycle of 8 keys: LRU hits all of it or nothing. */
static void a_cycle_is_hit_where_it_fits(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        for (int i = 0; i < 800; i++)
                read_key(1000u + (unsigned)i % 8, 10, false, 1);
        assert_close(at_size(2), 0, 0);
        assert_close(at_size(3), 0.99, 1e-9);
        assert_close(at_size(4), 0.99, 1e-9);
        imagined_settle(&im);
        assert_close(imagined_policy_figure(&im, 0).hit_rate, 0, 0);
        assert_true(imagined_policy_figure(&im, 3).hit_rate > 0.2);
        assert_close(imagined_size_figure(&im, 3).byte_hit_rate, 0.99, 1e-9);
}

static void bytes_bound_it_as_well(void **state)
{
        (void)state;
        imagined_resize(&im, 0, 400);
        for (int i = 0; i < 800; i++)
                read_key((unsigned)i % 8, 100, false, 1);
        assert_close(at_size(2), 0, 0);
        assert_close(at_size(3), 0.99, 1e-9);
        imagined_resize(&im, 0, 800);
        assert_close(im.tally.seen, 0, 0); /* counted anew … */
        for (int i = 0; i < 800; i++)
                read_key((unsigned)i % 8, 100, false, 1);
        assert_close(at_size(2), 1, 1e-9); /* … but the keys are there */
}

/* What L1 hits has been missed by others, who have it now. */
static void those_who_missed_get_what_l1_hit(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        for (int i = 0; i < 10; i++)
                read_key(5, 10, true, 1);
        assert_close(at_size(2), 0.9, 1e-9);
        imagined_settle(&im);
        assert_close(imagined_size_figure(&im, 2).byte_hit_rate, 0.9, 1e-9);
        for (unsigned p = 0; p < WHATIF_POLICIES; p++)
                assert_close(imagined_policy_figure(&im, p).hit_rate, 0.9, 1e-9);
}

/* However much memory there is, a copy does not outlive its time. */
static void copies_expire_at_all_sizes(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        for (uint32_t i = 0; i < 10; i++)
                read_key(5, 10, false, 1 + i * 50);
        /* put at 1, expired at 101, put at 101 … */
        assert_close(at_size(2), 0.5, 1e-9);
        assert_close(at_size(4), 0.5, 1e-9);
        assert_close(imagined_policy_figure(&im, 2).hit_rate, 0.5, 1e-9);
}

/* A larger cache has an older copy, which expires before that of a smaller one, which was filled again meanwhile. */
static void each_size_has_a_copy_of_its_own_age(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        read_key(1, 10, false, 1);
        for (uint32_t other = 10; other < 16; other++)
                read_key(other, 10, false, 40);
        read_key(1, 10, false, 60);  /* size 2 has lost it, size 3 has not */
        read_key(1, 10, false, 120); /* size 2 has that of 60, size 3 that of 1 */
        assert_close(at_size(2), 1.0 / 9, 1e-9);
        assert_close(at_size(3), 1.0 / 9, 1e-9);
}

static void what_is_stale_in_l1_is_stale_everywhere(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        read_key(5, 10, false, 1);
        for (int i = 0; i < 9; i++) {
                totals.lookups++;
                take(SAMPLE_HIT, 5, 10, 1);
                take(SAMPLE_STALE, 5, 0, 1);
                take(SAMPLE_PUT, 5, 10, 1);
        }
        assert_close(at_size(4), 0, 0);
        assert_close(imagined_policy_figure(&im, 1).hit_rate, 0, 0);
        read_key(5, 10, true, 1);
        assert_close(at_size(4), 1.0 / 11, 1e-9);
        take(SAMPLE_STALE, 99, 0, 1); /* not known: nothing to do */
}

static void what_is_removed_is_forgotten(void **state)
{
        (void)state;
        imagined_resize(&im, 4, 0);
        read_key(5, 10, false, 1);
        take(SAMPLE_REMOVED, 5, 0, 1);
        take(SAMPLE_REMOVED, 5, 0, 1);
        assert_int_equal(im.keys.count, 0);
        read_key(5, 10, false, 1);
        assert_close(at_size(4), 0, 0);
}

static void entries_may_change_their_size(void **state)
{
        uint64_t random = 5;

        (void)state;
        imagined_resize(&im, 0, 10000);
        for (int i = 0; i < 50000; i++) {
                uint64_t drawn = random_next(&random);

                read_key((uint32_t)(drawn >> 40) % 300, (uint32_t)(drawn % 9000) * (drawn % 7 == 0), drawn % 3 == 0, 1);
                assert_in_range(im.reuse.zones[2].bytes, 0, 10000);
                assert_in_range(im.shadows[0].bytes, 0, 10000);
        }
        for (uint32_t hash = 0; hash < 300; hash++)
                take(SAMPLE_REMOVED, hash, 0, 1);
        assert_int_equal(im.keys.count, 0);
        assert_int_equal(im.reuse.zones[4].bytes, 0);
        for (unsigned s = 0; s < IMAGINED_SHADOWS; s++)
                assert_int_equal(im.shadows[s].bytes, 0);
}

/* ---- the rate ---- */

static uint32_t hash_of(uint64_t name)
{
        return (uint32_t)hash64(slice_of(&name, sizeof(name)), 1);
}

/* Reads of `names` keys, each as often as any other, by an L1 that has none of them. */
static void read_evenly(uint32_t count, uint32_t names, uint32_t weight)
{
        uint64_t random = 9;

        for (uint32_t i = 0; i < count; i++) {
                uint32_t hash = hash_of(random_next(&random) % names);

                if (hash < im.below)
                        read_key(hash, weight, false, 1);
                else
                        totals.lookups++;
        }
}

static void small_caches_are_sampled_whole(void **state)
{
        (void)state;
        imagined_resize(&im, SAMPLES / 4, 0);
        read_evenly(20000, 5000, 10);
        assert_close(imagined_rate(&im), 1, 0);
        assert_close(imagined_size_figure(&im, 2).error, 0, 0);
}

static void larger_ones_at_a_rate_that_fits(void **state)
{
        (void)state;
        imagined_resize(&im, 100000, 0);
        assert_in_range(imagined_rate(&im) * 1e6, 2000, 2560); /* 1 024 of 400 000, and a fifth less at most */
        read_evenly(2000000, 200000, 10);
        assert_in_range(im.keys.count, 350, 600);
        assert_close(at_size(0), 0.125, 0.03);
        assert_close(at_size(1), 0.25, 0.03);
        assert_close(at_size(2), 0.5, 0.04);
        assert_close(imagined_policy_figure(&im, 1).hit_rate, 0.5, 0.04);
        assert_true(imagined_size_figure(&im, 1).error > 0.002);
}

/* How many entries there is memory for is known when some have been seen. */
static void the_rate_follows_what_entries_weigh(void **state)
{
        (void)state;
        imagined_resize(&im, 0, 1000000);
        assert_close(imagined_rate(&im), 1, 0);
        read_evenly(3000, 100, 100);
        assert_in_range(imagined_rate(&im) * 1e6, 20000, 25600); /* 1 024 of 40 000 */
        assert_in_range(im.keys.count, 0, 20);
}

static void it_begins_anew_when_the_rate_is_much_too_low(void **state)
{
        (void)state;
        imagined_resize(&im, 100000, 0);
        read_evenly(100000, 10000, 10);
        imagined_resize(&im, 50000, 0);
        assert_true(imagined_rate(&im) < 0.01);
        imagined_resize(&im, 100, 0);
        assert_close(imagined_rate(&im), 1, 0);
        assert_int_equal(im.keys.count, 0);
        read_evenly(100000, 200, 10);
        assert_close(at_size(2), 0.5, 0.01);
}

/* There is no bound of which it could be said how many keys that is. */
static void a_full_table_lowers_the_rate(void **state)
{
        (void)state;
        imagined_resize(&im, 0, 0);
        for (uint32_t i = 0; i < 50000; i++) {
                uint32_t hash = hash_of(i);

                if (hash < im.below)
                        read_key(hash, 1, false, 1);
        }
        assert_true(imagined_rate(&im) < 1536.0 / 50000);
        assert_in_range(im.keys.count, 1, SAMPLES + SAMPLES / 2);
}

static enum err make(void *context)
{
        struct imagined other;
        enum err rc = imagined_init(&other, &config);

        (void)context;
        if (rc == OK)
                imagined_deinit(&other);
        return rc;
}

static void survives_failed_allocations(void **state)
{
        (void)state;
        each_allocation_fails(make, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_cycle_is_hit_where_it_fits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(bytes_bound_it_as_well, set_up, tear_down),
                cmocka_unit_test_setup_teardown(those_who_missed_get_what_l1_hit, set_up, tear_down),
                cmocka_unit_test_setup_teardown(copies_expire_at_all_sizes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(each_size_has_a_copy_of_its_own_age, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_stale_in_l1_is_stale_everywhere, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_removed_is_forgotten, set_up, tear_down),
                cmocka_unit_test_setup_teardown(entries_may_change_their_size, set_up, tear_down),
                cmocka_unit_test_setup_teardown(small_caches_are_sampled_whole, set_up, tear_down),
                cmocka_unit_test_setup_teardown(larger_ones_at_a_rate_that_fits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_rate_follows_what_entries_weigh, set_up, tear_down),
                cmocka_unit_test_setup_teardown(it_begins_anew_when_the_rate_is_much_too_low, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_full_table_lowers_the_rate, set_up, tear_down),
                cmocka_unit_test(survives_failed_allocations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
