#include "bench/keys.h"

#include "tests/lib/test.h"

#include <math.h>

enum { DRAWS = 2000000 };

/* Draws, and holds every key's count against its probability: within five standard deviations of the binomial, which a
 * right generator leaves once in a million keys; the seed is fixed, so it never does here. */
static void draw_and_compare(const struct keys_config *config)
{
        uint32_t *counts = test_calloc(config->count, sizeof(*counts));
        const double exponent = config->order == KEYS_ZIPF ? config->exponent : 0;
        struct keys *keys;
        double sum = 0;

        assert_ok(keys_create(&keys, config));
        for (uint32_t i = 0; i < DRAWS; i++) {
                const uint32_t key = keys_next(keys);

                assert_true(key < config->count);
                counts[key]++;
        }
        for (uint32_t k = 0; k < config->count; k++)
                sum += 1 / pow(k + 1.0, exponent);
        for (uint32_t k = 0; k < config->count; k++) {
                const double p = 1 / pow(k + 1.0, exponent) / sum;
                const double expected = DRAWS * p;

                assert_true(fabs(counts[k] - expected) <= 5 * sqrt(expected * (1 - p)) + 1);
        }
        keys_destroy(&keys);
        test_free(counts);
}

static void zipf_is_zipf(void **state)
{
        (void)state;
        draw_and_compare(&(struct keys_config){.order = KEYS_ZIPF, .count = 1000, .exponent = 0.99, .seed = 1});
        draw_and_compare(&(struct keys_config){.order = KEYS_ZIPF, .count = 37, .exponent = 1.5, .seed = 2});
        draw_and_compare(&(struct keys_config){.order = KEYS_ZIPF, .count = 2, .exponent = 3, .seed = 3});
        draw_and_compare(&(struct keys_config){.order = KEYS_ZIPF, .count = 1, .exponent = 1, .seed = 4});
        draw_and_compare(&(struct keys_config){.order = KEYS_ZIPF, .count = 500, .exponent = 0, .seed = 5});
}

static void uniform_is_uniform(void **state)
{
        (void)state;
        draw_and_compare(&(struct keys_config){.order = KEYS_UNIFORM, .count = 1000, .seed = 1});
        draw_and_compare(&(struct keys_config){.order = KEYS_UNIFORM, .count = 3, .seed = 2});
}

static void in_order_goes_round(void **state)
{
        struct keys *keys;

        (void)state;
        assert_ok(keys_create(&keys, &(struct keys_config){.order = KEYS_IN_ORDER, .count = 3}));
        for (uint32_t i = 0; i < 10; i++)
                assert_int_equal(keys_next(keys), i % 3);
        keys_destroy(&keys);
}

static void the_seed_decides(void **state)
{
        const struct keys_config config = {.order = KEYS_ZIPF, .count = 1000, .exponent = 0.9, .seed = 11};
        struct keys_config other = config;
        struct keys *first;
        struct keys *same;
        struct keys *different;
        unsigned alike = 0;

        (void)state;
        other.seed = 12;
        assert_ok(keys_create(&first, &config));
        assert_ok(keys_create(&same, &config));
        assert_ok(keys_create(&different, &other));
        for (int i = 0; i < 1000; i++) {
                const uint32_t key = keys_next(first);

                assert_int_equal(key, keys_next(same));
                alike += key == keys_next(different);
        }
        assert_true(alike < 200);
        keys_destroy(&first);
        keys_destroy(&same);
        keys_destroy(&different);
}

static enum err create_once(void *context)
{
        const struct keys_config config = {.order = KEYS_ZIPF, .count = 100, .exponent = 1, .seed = 1};
        struct keys *keys;
        enum err rc = keys_create(&keys, &config);

        (void)context;
        keys_destroy(&keys);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(create_once, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(zipf_is_zipf),
                cmocka_unit_test(uniform_is_uniform),
                cmocka_unit_test(in_order_goes_round),
                cmocka_unit_test(the_seed_decides),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
