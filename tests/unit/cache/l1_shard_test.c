/* What entries take of memory: the goal, and the account that the shards keep against what the process grew by. */
#include "cache/l1.h"
#include "base/hash.h"
#include "cache/cache_key.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <unistd.h>

enum { ENTRIES = 1000000, VALUE_MAX = 1 << 20, OVERHEAD_MAX = 48 };

static uint64_t resident(void)
{
        unsigned long long total;
        unsigned long long pages;
        FILE *f = fopen("/proc/self/statm", "r");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%llu %llu", &total, &pages), 2);
        (void)fclose(f);
        return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static struct l1 *make(uint64_t max_bytes)
{
        const struct l1_config config = {max_bytes, 0, 16, "lru", 42};
        struct l1 *l1;

        assert_ok(l1_create(&l1, &config, NULL));
        return l1;
}

static struct l1_usage usage_of(const struct l1 *l1)
{
        struct l1_usage usage;

        l1_usage(l1, &usage);
        return usage;
}

/* As the tiers store it, key and all. Returns what of it is no overhead: the client's key, the value, as_of and
 * expires. A snapshot is counted as overhead. */
static size_t put_number(struct l1 *l1, int number, size_t value_len, const struct snapshot *snapshot)
{
        static const char value[VALUE_MAX];
        static const struct record_type allergies = {.name = "allergies"};
        struct cache_key key;
        char id[16];
        int len = snprintf(id, sizeof(id), "%d", number);
        struct l1_view view = {
                .found = true,
                .value = slice_of(value, value_len),
                .stamp = {.epoch = 1, .def = 2, .as_of = {5}, .expires = nanos_ms(60000)},
                .snapshot = snapshot,
        };

        cache_key_make(&key, FORMAT_JSON, &allergies, SLICE_EMPTY, slice_str(id));
        view.key = cache_key_of_entry(&key);
        assert_ok(l1_put(l1, &view));
        return strlen("allergies:") + (size_t)len + value_len + sizeof(struct position) + sizeof(struct nanos);
}

static void assert_near(uint64_t account, uint64_t measured)
{
        assert_true(account > measured - measured / 20);
        assert_true(account < measured + measured / 20);
}

/* By the account and by the process's growth, in bytes for an entry. */
static void assert_small(size_t value_len, const struct snapshot *snapshot, double most)
{
        const uint64_t before = resident();
        struct l1 *l1 = make(UINT64_C(4) << 30);
        uint64_t payload = 0;
        uint64_t grown;
        double overhead;

        for (int i = 0; i < ENTRIES; i++)
                payload += put_number(l1, i, value_len, snapshot);
        grown = resident() - before;
        overhead = (double)(grown - payload) / ENTRIES;
        print_message("%d entries of %zu bytes: account %llu, resident %llu, grown %llu; overhead %.1f for each\n",
                ENTRIES, value_len, (unsigned long long)usage_of(l1).bytes, (unsigned long long)usage_of(l1).resident,
                (unsigned long long)grown, overhead);
        assert_int_equal(usage_of(l1).entries, ENTRIES);
        assert_near(usage_of(l1).bytes, grown);
        assert_near(usage_of(l1).resident, grown);
        assert_true(overhead <= most);
        l1_destroy(&l1);
        assert_true(resident() < before + (2 << 20));
}

static void a_million_entries_of_100_bytes_take_48_more_each(void **state)
{
        (void)state;
        SKIP_WHEN_SANITIZED();
        assert_small(100, NULL, OVERHEAD_MAX);
}

static void a_million_entries_of_512_bytes_take_48_more_each(void **state)
{
        (void)state;
        SKIP_WHEN_SANITIZED();
        assert_small(512, NULL, OVERHEAD_MAX);
}

/* Of a polled source: what the data contains is a part of the stamp there. */
static void a_snapshot_adds_its_few_bytes(void **state)
{
        const struct snapshot s = {.xmin = 5000000, .xmax = 5000010, .end = 5000010, .running = 1, .xip = {5000000}};

        (void)state;
        SKIP_WHEN_SANITIZED();
        assert_small(100, &s, OVERHEAD_MAX);
}

/* Sizes from 50 bytes to a megabyte, as many bytes in each power of two. */
static size_t draw_size(uint64_t *random)
{
        size_t size = 50;

        while (size <= VALUE_MAX / 4 && random_next(random) % 2 == 0)
                size *= 2;
        return size + random_next(random) % size;
}

struct churn {
        uint64_t max_bytes;
        int puts;
        size_t (*draw)(uint64_t *random);
        double waste_most; /* memory of the process beyond max_bytes, as a part of it */
        double full_least; /* what is used, as a part of max_bytes */
};

/* Full, and then several times over: memory beyond the bound is lost to what lies free between entries. */
static void churn(const struct churn *c)
{
        const uint64_t before = resident();
        struct l1 *l1 = make(c->max_bytes);
        uint64_t random = 2;
        struct l1_usage usage;

        for (int i = 0; i < c->puts; i++) {
                (void)put_number(l1, i, c->draw(&random), NULL);
                if (random_next(&random) % 4 == 0) /* replaced by another size */
                        (void)put_number(l1, i / 2 + i % (i / 2 + 1), c->draw(&random), NULL);
        }
        usage = usage_of(l1);
        print_message("bound %llu: %llu entries, used %llu, resident %llu, grown %llu\n",
                (unsigned long long)usage.max_bytes, (unsigned long long)usage.entries, (unsigned long long)usage.bytes,
                (unsigned long long)usage.resident, (unsigned long long)(resident() - before));
        assert_near(usage.resident, resident() - before);
        assert_true((double)usage.resident < (double)c->max_bytes * (1 + c->waste_most));
        assert_true(usage.bytes <= c->max_bytes && (double)usage.bytes > (double)c->max_bytes * c->full_least);
        l1_destroy(&l1);
}

static size_t draw_small(uint64_t *random)
{
        return random_next(random) % 400;
}

static void churn_of_small_entries_wastes_little(void **state)
{
        (void)state;
        SKIP_WHEN_SANITIZED();
        churn(&(struct churn){20 << 20, ENTRIES, draw_small, 0.02, 0.98});
}

static void churn_of_mixed_sizes_wastes_little(void **state)
{
        (void)state;
        SKIP_WHEN_SANITIZED();
        churn(&(struct churn){64 << 20, ENTRIES / 4, draw_size, 0.15, 0.8});
}

static void a_lower_bound_gives_memory_back(void **state)
{
        const uint64_t before = resident();
        struct l1 *l1;

        (void)state;
        SKIP_WHEN_SANITIZED();
        l1 = make(256 << 20);
        for (int i = 0; i < 50000; i++)
                (void)put_number(l1, i, 4000, NULL);
        assert_true(resident() - before > 190 << 20);
        l1_resize(l1, 20 << 20, 0);
        assert_true(usage_of(l1).bytes <= 20 << 20);
        print_message("20 MB of entries of 4 KB left in %llu\n", (unsigned long long)(resident() - before));
        assert_near(usage_of(l1).resident, resident() - before);
        assert_true(resident() - before < 40 << 20); /* a page or so on each side of each entry */
        l1_destroy(&l1);
}

/* How many of the numbers from 0 that were put are gone, by shard: its number are bits of the key's hash. */
static void count_gone(struct l1 *l1, int numbers, uint32_t *gone)
{
        for (int i = 0; i < numbers; i++) {
                static const struct record_type allergies = {.name = "allergies"};
                struct cache_key key;
                struct l1_entry *entry;
                char id[16];
                int len = snprintf(id, sizeof(id), "%d", i);

                cache_key_make(&key, FORMAT_JSON, &allergies, SLICE_EMPTY, slice_of(id, (size_t)len));
                if (!l1_peek(l1, cache_key_of_entry(&key), &entry))
                        gone[l1_hash(l1, cache_key_of_entry(&key)) >> 32 & 15]++;
                l1_release(l1, &entry);
        }
}

static void a_large_entry_is_paid_for_by_all_shards(void **state)
{
        enum { SMALL = 16000, LARGE = 100000 };
        uint32_t gone[16] = {0};
        struct l1 *l1 = make(64 << 20);

        (void)state;
        for (int i = 0; i < SMALL; i++)
                (void)put_number(l1, i, 100, NULL);
        l1_resize(l1, usage_of(l1).bytes, 0);
        (void)put_number(l1, SMALL, LARGE, NULL);
        count_gone(l1, SMALL, gone);
        for (int i = 0; i < 16; i++)
                assert_in_range(gone[i], LARGE / 16 / 200, LARGE / 16 / 100);
        l1_destroy(&l1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(churn_of_small_entries_wastes_little),
                cmocka_unit_test(churn_of_mixed_sizes_wastes_little),
                cmocka_unit_test(a_million_entries_of_100_bytes_take_48_more_each),
                cmocka_unit_test(a_million_entries_of_512_bytes_take_48_more_each),
                cmocka_unit_test(a_snapshot_adds_its_few_bytes),
                cmocka_unit_test(a_lower_bound_gives_memory_back),
                cmocka_unit_test(a_large_entry_is_paid_for_by_all_shards),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
