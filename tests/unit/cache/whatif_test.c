#include "cache/whatif.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

#include <pthread.h>

enum { THREADS = 4, EACH = 30000 };

static _Atomic uint64_t below;
static _Atomic uint64_t lookups;
static const struct policy_ops *_Atomic advised;
static struct nanos now;
static struct whatif *whatif;

static struct nanos test_clock(void)
{
        return now;
}

static void read_totals(void *context, struct whatif_totals *out)
{
        (void)context;
        *out = (struct whatif_totals){lookups, lookups * 10};
}

static void take_advice(void *context, const struct policy_ops *best)
{
        (void)context;
        advised = best;
}

static struct whatif_config config_of(struct nanos half_life)
{
        return (struct whatif_config){.samples = 4096,
                .half_life = half_life,
                .clock = test_clock,
                .below = &below,
                .totals = read_totals,
                .advise = take_advice};
}

static int set_up(void **state)
{
        const struct whatif_config config = config_of(nanos_ms(3600 * 1000));

        (void)state;
        below = 0;
        lookups = 0;
        advised = NULL;
        now = nanos_ms(5000);
        assert_ok(whatif_create(&whatif, &config));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        whatif_destroy(&whatif);
        assert_null(whatif);
        return 0;
}

static void note(enum sample_kind kind, uint32_t hash)
{
        const struct sample sample = {.kind = kind, .hash = hash, .weight = 10, .bytes = 10, .expires = UINT32_MAX};

        whatif_note(whatif, &sample);
}

/* A read by a cache that has nothing. */
static void read_key(uint32_t hash)
{
        lookups++;
        note(SAMPLE_MISS, hash);
        note(SAMPLE_PUT, hash);
}

static struct whatif_report report(void)
{
        struct whatif_report r;

        whatif_read(whatif, &r);
        return r;
}

static void says_when_it_knows_enough(void **state)
{
        (void)state;
        whatif_resize(whatif, 100, 0);
        assert_int_equal(below, UINT64_C(1) << 32);
        for (uint32_t i = 0; i < 999; i++)
                read_key(i % 50);
        assert_false(report().enough);
        read_key(0);
        assert_true(report().enough);
        assert_int_equal(report().lookups, 1000);
        assert_int_equal(report().keys, 50);
        assert_close(report().rate, 1, 0);
        assert_close(report().reach, 0.5, 1e-9);
        assert_close(report().sizes[WHATIF_PRESENT].scale, 1, 0);
        assert_close(report().sizes[WHATIF_PRESENT].figure.hit_rate, 0.95, 1e-9);
        assert_close(report().sizes[0].figure.hit_rate, 0, 0); /* 25 of a cycle of 50 */
        assert_string_equal(report().policies[0].name, "lru");
        assert_close(report().policies[2].figure.hit_rate, 0.95, 1e-9);
}

static void what_was_long_ago_counts_less(void **state)
{
        (void)state;
        whatif_resize(whatif, 100, 0);
        for (uint32_t i = 0; i < 2000; i++)
                read_key(i); /* all missed */
        now = nanos_add(now, nanos_ms(3600 * 1000));
        assert_close(report().lookups, 1000, 1e-6);
        for (uint32_t i = 0; i < 3000; i++)
                read_key(1999); /* all hit */
        assert_close(report().sizes[2].figure.hit_rate, 0.75, 1e-9);
        now = nanos_add(now, nanos_ms(100 * 3600 * 1000));
        assert_false(report().enough);
}

static void a_tick_never_makes_an_entry_live_longer(void **state)
{
        (void)state;
        assert_int_equal(whatif_tick(NANOS_ZERO), 0);
        assert_int_equal(whatif_tick((struct nanos){(1 << 28) - 1}), 0);
        assert_int_equal(whatif_tick((struct nanos){1 << 28}), 1);
        assert_int_equal(whatif_tick(NANOS_NEVER), UINT32_MAX);
}

static void advises_what_does_better(void **state)
{
        (void)state;
        whatif_resize(whatif, 100, 0);
        assert_string_equal(whatif_advice(whatif)->name, "lru");
        for (uint32_t i = 0; i < 20000; i++)
                read_key(i % 150); /* a cycle, of which LRU has nothing */
        assert_non_null(advised);
        assert_ptr_equal(advised, whatif_advice(whatif));
        assert_string_equal(advised->name, "wtinylfu");
}

static void can_be_switched_off_and_on(void **state)
{
        (void)state;
        whatif_resize(whatif, 100, 0);
        read_key(1);
        whatif_switch(whatif, true); /* it is */
        assert_int_equal(report().keys, 1);
        whatif_switch(whatif, false);
        assert_int_equal(below, 0);
        assert_int_equal(report().keys, 0);
        whatif_switch(whatif, true);
        assert_int_equal(below, UINT64_C(1) << 32);
        assert_close(report().lookups, 0, 0);
}

static void the_same_bounds_change_nothing(void **state)
{
        (void)state;
        whatif_resize(whatif, 100, 1000);
        read_key(1);
        whatif_resize(whatif, 100, 1000);
        assert_int_equal(report().lookups, 1);
        whatif_resize(whatif, 100, 2000);
        assert_int_equal(report().lookups, 0);
        whatif_resize(whatif, 1000000, 100000000);
        assert_in_range(below, 1, UINT64_C(1) << 25); /* less is sampled, and L1 knows it */
}

static void *read_many(void *arg)
{
        uint64_t state = *(const uint64_t *)arg;

        for (int i = 0; i < EACH; i++) {
                uint32_t hash = (uint32_t)(random_next(&state) % 500);

                lookups++;
                note(SAMPLE_MISS, hash);
                note(i % 3 == 0 ? SAMPLE_HIT : SAMPLE_PUT, hash);
                if (i % 1000 == 0)
                        whatif_resize(whatif, 100 + (uint64_t)i, 0);
                if (i % 500 == 0)
                        (void)report();
        }
        return NULL;
}

static void threads_need_no_lock_of_their_own(void **state)
{
        static const uint64_t seeds[THREADS] = {1, 2, 3, 4};
        pthread_t threads[THREADS];

        (void)state;
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_many, (void *)(uintptr_t)&seeds[i]), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_in_range(report().keys, 1, 500);
}

static enum err make(void *context)
{
        const struct whatif_config config = config_of(nanos_ms(1000));
        struct whatif *w;
        enum err rc = whatif_create(&w, &config);

        (void)context;
        whatif_destroy(&w);
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
                cmocka_unit_test_setup_teardown(says_when_it_knows_enough, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_was_long_ago_counts_less, set_up, tear_down),
                cmocka_unit_test(a_tick_never_makes_an_entry_live_longer),
                cmocka_unit_test_setup_teardown(advises_what_does_better, set_up, tear_down),
                cmocka_unit_test_setup_teardown(can_be_switched_off_and_on, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_same_bounds_change_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(threads_need_no_lock_of_their_own, set_up, tear_down),
                cmocka_unit_test(survives_failed_allocations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
