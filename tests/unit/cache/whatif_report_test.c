/* L1 while its policy changes, and the sample that it takes. */
#include "cache/l1.h"
#include "base/hash.h"
#include "cache/whatif_report.h"
#include "monitoring/counters.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>

enum { ENTRIES = 500, THREADS = 3 };

static struct nanos now = {1};

static struct nanos test_clock(void)
{
        return now;
}

static struct l1 *make(void)
{
        const struct l1_config config = {
                .max_bytes = 64 << 20, .max_entries = ENTRIES, .shards = 1, .policy = "lru", .seed = 42};
        const struct l1_sampling sampling = {.samples = 4096, .half_life = nanos_ms(3600 * 1000), .clock = test_clock};
        struct l1 *l1;

        assert_ok(l1_create(&l1, &config, NULL));
        assert_ok(l1_sample(l1, &sampling));
        return l1;
}

static struct slice key_of(uint64_t number, char *text)
{
        return slice_of(text, (size_t)snprintf(text, 32, "allergies:%08llu", (unsigned long long)number));
}

static void put(struct l1 *l1, uint64_t number)
{
        char text[32];
        const struct l1_view view = {.key = key_of(number, text),
                .value = slice_str("0123456789"),
                .found = true,
                .type_index = 5,
                .stamp = {.expires = NANOS_NEVER}};

        assert_ok(l1_put(l1, &view));
}

/* Reads as a server would, and says whether it was a hit. */
static bool read_key(struct l1 *l1, uint64_t number)
{
        struct l1_entry *e;
        char text[32];

        if (!l1_get(l1, key_of(number, text), &e)) {
                put(l1, number);
                return false;
        }
        assert_int_equal(l1_view_of(l1, e).type_index, 5);
        l1_release(l1, &e);
        return true;
}

static uint64_t entries(const struct l1 *l1)
{
        struct l1_usage usage;

        l1_usage(l1, &usage);
        return usage.entries;
}

static void a_change_of_policy_costs_no_entry(void **state)
{
        static const char *const names[] = {"sieve", "wtinylfu", "s3fifo", "lru"};
        struct l1 *l1 = make();

        (void)state;
        for (uint64_t i = 0; i < ENTRIES; i++)
                put(l1, i);
        for (size_t n = 0; n < 4; n++) {
                assert_ok(l1_set_policy(l1, names[n]));
                assert_string_equal(l1_policy(l1), names[n]);
                for (uint64_t i = 0; i < 40; i++)
                        put(l1, i); /* the same keys: nothing has to go */
                assert_int_equal(entries(l1), ENTRIES);
                for (uint64_t i = 0; i < ENTRIES; i++)
                        assert_true(read_key(l1, i));
        }
        l1_destroy(&l1);
}

static void knows_the_names_of_policies(void **state)
{
        const struct l1_config config = {.max_bytes = 1 << 20, .shards = 1, .policy = "lru"};
        struct l1 *l1;

        (void)state;
        assert_ok(l1_create(&l1, &config, NULL));
        assert_err(ERR_CONFIG, l1_set_policy(l1, "fifo"));
        assert_err(ERR_CONFIG, l1_set_policy(l1, "auto")); /* there is no sample to go by */
        assert_string_equal(l1_policy(l1), "lru");
        l1_destroy(&l1);
        l1 = make();
        assert_ok(l1_set_policy(l1, "auto"));
        assert_string_equal(l1_policy(l1), "lru");
        l1_destroy(&l1);
}

static void auto_follows_what_hits_more(void **state)
{
        struct l1 *l1 = make();
        uint64_t changes = counter_read(COUNTER_l1_policy_changes);
        int hits = 0;

        (void)state;
        assert_ok(l1_set_policy(l1, "auto"));
        for (uint64_t i = 0; i < 100000; i++)
                hits += read_key(l1, i % 800) ? 1 : 0; /* a cycle of which LRU has nothing */
        assert_string_equal(l1_policy(l1), "wtinylfu");
        assert_true(counter_read(COUNTER_l1_policy_changes) > changes);
        assert_in_range(hits, 30000, 62500);
        assert_ok(l1_set_policy(l1, "lru"));
        assert_string_equal(l1_policy(l1), "lru");
        l1_destroy(&l1);
}

static struct whatif_report report(struct l1 *l1)
{
        struct whatif_report r;

        assert_true(l1_whatif(l1, &r));
        return r;
}

static void the_sample_sees_what_l1_sees(void **state)
{
        struct l1 *l1 = make();
        uint64_t random = 1;
        int hits = 0;

        (void)state;
        for (int i = 0; i < 20000; i++) {
                uint64_t drawn = random_next(&random);

                hits += read_key(l1, (drawn >> 32) % (1 + drawn % 2000)) ? 1 : 0;
        }
        assert_true(report(l1).enough);
        assert_close(report(l1).sizes[WHATIF_PRESENT].figure.hit_rate, hits / 20000.0, 1e-9);
        assert_close(report(l1).sizes[WHATIF_PRESENT].figure.byte_hit_rate, hits / 20000.0, 1e-9);
        assert_true(report(l1).sizes[3].figure.hit_rate > report(l1).sizes[1].figure.hit_rate + 0.1);
        l1_destroy(&l1);
}

static void stale_entries_are_misses_for_the_sample(void **state)
{
        struct l1 *l1 = make();
        struct l1_entry *e;
        char text[32];

        (void)state;
        put(l1, 1);
        for (int i = 0; i < 1000; i++) {
                assert_true(l1_get(l1, key_of(1, text), &e));
                if (i % 4 == 0) {
                        l1_stale(l1, e);
                        put(l1, 1);
                }
                l1_release(l1, &e);
        }
        assert_close(report(l1).sizes[4].figure.hit_rate, 0.75, 1e-9);
        assert_close(report(l1).sizes[4].figure.byte_hit_rate, 0.75, 0.002); /* the first put was not read */
        assert_true(l1_remove(l1, key_of(1, text)));
        assert_int_equal(report(l1).keys, 0);
        l1_destroy(&l1);
}

static void sampling_stops_where_nobody_wants_it(void **state)
{
        struct l1 *l1 = make();
        struct whatif_report r;

        (void)state;
        l1_keep_sampling(l1, false);
        assert_false(l1_whatif(l1, &r));
        assert_ok(l1_set_policy(l1, "auto"));
        assert_true(l1_whatif(l1, &r));
        assert_ok(l1_set_policy(l1, "sieve"));
        assert_false(l1_whatif(l1, &r));
        l1_keep_sampling(l1, true);
        assert_true(l1_whatif(l1, &r));
        l1_destroy(&l1);
}

static void *read_many(void *arg)
{
        static _Atomic uint64_t seeds = 1;
        struct l1 *l1 = arg;
        uint64_t random = seeds++;

        for (int i = 0; i < 20000; i++) {
                uint64_t drawn = random_next(&random);

                (void)read_key(l1, (drawn >> 32) % (1 + drawn % 3000));
        }
        return NULL;
}

static void policies_change_while_others_read(void **state)
{
        static const char *const names[] = {"sieve", "auto", "wtinylfu", "s3fifo", "lru"};
        pthread_t threads[THREADS];
        struct l1 *l1 = make();

        (void)state;
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_many, l1), 0);
        for (int i = 0; i < 200; i++) {
                assert_ok(l1_set_policy(l1, names[i % 5]));
                l1_resize(l1, 64 << 20, ENTRIES + (uint64_t)(i % 3));
                (void)report(l1);
        }
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_in_range(entries(l1), ENTRIES - 50, ENTRIES + 5);
        l1_destroy(&l1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_change_of_policy_costs_no_entry),
                cmocka_unit_test(knows_the_names_of_policies),
                cmocka_unit_test(auto_follows_what_hits_more),
                cmocka_unit_test(the_sample_sees_what_l1_sees),
                cmocka_unit_test(stale_entries_are_misses_for_the_sample),
                cmocka_unit_test(sampling_stops_where_nobody_wants_it),
                cmocka_unit_test(policies_change_while_others_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
