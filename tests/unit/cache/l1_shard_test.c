/* The memory account that the shards keep, against what the process really grew by. */
#include "cache/l1.h"
#include "base/hash.h"
#include "tests/lib/test.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

enum { ENTRIES = 1000000, VALUE_MAX = 400 };

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

static uint64_t allocated(void)
{
        struct mallinfo2 m = mallinfo2();

        return m.uordblks + m.hblkhd;
}

static size_t put_number(struct l1 *l1, int number, size_t value_len)
{
        static const char value[VALUE_MAX];
        char key[32];
        struct l1_view view = {
                .found = true,
                .value = slice_of(value, value_len),
                .stamp = {.expires = NANOS_NEVER},
        };

        (void)snprintf(key, sizeof(key), "allergies:%d", number);
        view.key = slice_str(key);
        assert_ok(l1_put(l1, &view));
        return view.key.len + value_len + sizeof(struct stamp) - sizeof(void *) - 2 * sizeof(uint32_t);
}

static void assert_near(uint64_t account, uint64_t measured)
{
        assert_true(account > measured - measured / 10);
        assert_true(account < measured + measured / 10);
}

static struct l1 *make(uint64_t max_bytes)
{
        const struct l1_config config = {max_bytes, 0, 16, "lru", 42};
        struct l1 *l1;

        assert_ok(l1_create(&l1, &config, NULL));
        return l1;
}

static void account_matches_growth_at_a_million_entries(void **state)
{
        uint64_t resident_before = resident();
        uint64_t allocated_before = allocated();
        struct l1 *l1;
        struct l1_usage usage;
        uint64_t random = 1;
        uint64_t payload = 0;

        (void)state;
        SKIP_WHEN_SANITIZED();
        l1 = make(UINT64_C(1) << 32);
        for (int i = 0; i < ENTRIES; i++)
                payload += put_number(l1, i, random_next(&random) % VALUE_MAX);
        l1_usage(l1, &usage);
        print_message("%d entries: account %llu, malloc %llu, resident %llu; %.1f bytes per entry beyond payload\n",
                ENTRIES, (unsigned long long)usage.bytes, (unsigned long long)(allocated() - allocated_before),
                (unsigned long long)(resident() - resident_before), (double)(usage.bytes - payload) / ENTRIES);
        assert_int_equal(usage.entries, ENTRIES);
        assert_near(usage.bytes, allocated() - allocated_before);
        assert_near(usage.bytes, resident() - resident_before);
        l1_destroy(&l1);
        assert_true(allocated() - allocated_before < 100000);
}

static void churn_does_not_grow_the_process(void **state)
{
        struct l1 *l1;
        uint64_t random = 2;
        uint64_t warm = 0;

        (void)state;
        SKIP_WHEN_SANITIZED();
        l1 = make(20 << 20);
        for (int i = 0; i < ENTRIES; i++) {
                (void)put_number(l1, i, random_next(&random) % VALUE_MAX);
                if (i == ENTRIES / 4)
                        warm = resident();
        }
        print_message("resident after a quarter %llu, at the end %llu\n", (unsigned long long)warm,
                (unsigned long long)resident());
        assert_true(resident() < warm + (2 << 20));
        l1_destroy(&l1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(churn_does_not_grow_the_process), /* first, on a fresh heap */
                cmocka_unit_test(account_matches_growth_at_a_million_entries),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
