#include "cache/sketch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

#include <stdbool.h>

enum { ENTRIES = 1000, ESTIMATE_MAX = 16 };

static uint32_t hash_of(uint32_t number)
{
        return (uint32_t)hash64(slice_of(&number, sizeof(number)), 0);
}

static void count(struct sketch *s, uint32_t number, unsigned times)
{
        for (unsigned i = 0; i < times; i++)
                sketch_count(s, hash_of(number));
}

static void few_keys_are_counted_exactly(void **state)
{
        struct sketch s = {.blocks = NULL};

        (void)state;
        sketch_fit(&s, ENTRIES);
        for (uint32_t i = 1; i <= 10; i++)
                count(&s, i, i);
        for (uint32_t i = 1; i <= 10; i++)
                assert_int_equal(sketch_estimate(&s, hash_of(i)), i);
        assert_int_equal(sketch_estimate(&s, hash_of(11)), 0);
        count(&s, 12, 100);
        assert_int_equal(sketch_estimate(&s, hash_of(12)), ESTIMATE_MAX);
        sketch_deinit(&s);
}

/* As many uses as fit between two halvings, a third of them of keys that come once, the others skewed: no estimate is
 * too low, and few are too high. */
static void many_keys_are_never_underestimated(void **state)
{
        static uint8_t truth[20 * ENTRIES];
        struct sketch s = {.blocks = NULL};
        uint64_t random = 3;
        uint32_t too_high = 0;

        (void)state;
        sketch_fit(&s, ENTRIES);
        for (uint32_t i = 0; i < 9 * ENTRIES; i++) {
                uint32_t bound = (uint32_t)(1 + random_next(&random) % (4 * ENTRIES));
                uint32_t key = i % 3 == 0 ? 5 * ENTRIES + i : (uint32_t)(random_next(&random) % bound);

                sketch_count(&s, hash_of(key));
                truth[key] = (uint8_t)(truth[key] < ESTIMATE_MAX ? truth[key] + 1 : ESTIMATE_MAX);
        }
        for (uint32_t key = 0; key < 20 * ENTRIES; key++) {
                unsigned estimate = sketch_estimate(&s, hash_of(key));

                assert_true(estimate >= truth[key]);
                too_high += estimate > truth[key] + 2u;
        }
        print_message("%u of %u keys overestimated by more than two\n", too_high, 20 * ENTRIES);
        assert_true(too_high < 20 * ENTRIES / 50);
        sketch_deinit(&s);
}

static void what_is_old_fades(void **state)
{
        struct sketch s = {.blocks = NULL};

        (void)state;
        sketch_fit(&s, ENTRIES);
        count(&s, 1, 9);
        while (sketch_estimate(&s, hash_of(1)) >= 9)
                count(&s, 2, 1);
        assert_in_range(s.sample, 4 * ENTRIES, 5 * ENTRIES + 10);
        assert_int_equal(sketch_estimate(&s, hash_of(1)), 4); /* eight behind the door, halved */
        sketch_deinit(&s);
}

static void growth_changes_no_estimate(void **state)
{
        struct sketch s = {.blocks = NULL};
        uint64_t before;

        (void)state;
        sketch_fit(&s, 1);
        before = sketch_bytes(&s);
        for (uint32_t i = 1; i <= 10; i++)
                count(&s, i, 1);
        sketch_fit(&s, 100 * ENTRIES);
        for (uint32_t i = 1; i <= 10; i++)
                assert_in_range(sketch_estimate(&s, hash_of(i)), 1, 2);
        assert_in_range(sketch_bytes(&s), 8 * 100 * ENTRIES, 16 * 100 * ENTRIES);
        sketch_fit(&s, 1);
        assert_int_equal(sketch_bytes(&s), before);
        sketch_deinit(&s);
}

static bool never(void *context)
{
        (void)context;
        return false;
}

static void without_memory_all_keys_are_alike(void **state)
{
        struct sketch s = {.blocks = NULL};

        (void)state;
        mem_set_gate(never, NULL);
        sketch_fit(&s, ENTRIES);
        mem_set_gate(NULL, NULL);
        count(&s, 1, 5);
        assert_int_equal(sketch_estimate(&s, hash_of(1)), 0);
        assert_int_equal(sketch_bytes(&s), 0);
        sketch_deinit(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(few_keys_are_counted_exactly),
                cmocka_unit_test(many_keys_are_never_underestimated),
                cmocka_unit_test(what_is_old_fades),
                cmocka_unit_test(growth_changes_no_estimate),
                cmocka_unit_test(without_memory_all_keys_are_alike),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
