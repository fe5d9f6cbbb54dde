#include "bench/histogram.h"

#include "base/hash.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdlib.h>

enum { VALUES = 100000 };

static int by_size(const void *a, const void *b)
{
        const uint64_t x = *(const uint64_t *)a;
        const uint64_t y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* Values of all magnitudes: random bits, shifted by a random count. */
static void quantiles_are_those_of_the_sorted_values(void **state)
{
        static const double parts[] = {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
        uint64_t *values = test_calloc(VALUES, sizeof(*values));
        struct histogram *h = test_calloc(1, sizeof(*h));
        uint64_t seed = 7;

        (void)state;
        histogram_reset(h);
        for (size_t i = 0; i < VALUES; i++) {
                values[i] = random_next(&seed) >> (random_next(&seed) % 64);
                histogram_add(h, values[i]);
        }
        qsort(values, VALUES, sizeof(*values), by_size);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                const uint64_t exact = values[(size_t)ceil(parts[i] * VALUES) - 1];
                const uint64_t said = histogram_quantile(h, parts[i]);

                assert_true(said >= exact);
                assert_true(said - exact <= exact / 128);
        }
        assert_true(histogram_quantile(h, 1) == values[VALUES - 1]);
        test_free(values);
        test_free(h);
}

static void small_values_are_exact(void **state)
{
        struct histogram *h = test_calloc(1, sizeof(*h));

        (void)state;
        histogram_reset(h);
        for (uint64_t v = 1; v <= 100; v++)
                histogram_add(h, v);
        assert_int_equal(histogram_quantile(h, 0.5), 50);
        assert_int_equal(histogram_quantile(h, 0.99), 99);
        assert_int_equal(histogram_quantile(h, 0), 1);
        test_free(h);
}

static void nothing_counted_is_zero_and_extremes_fit(void **state)
{
        struct histogram *h = test_calloc(1, sizeof(*h));

        (void)state;
        histogram_reset(h);
        assert_int_equal(histogram_quantile(h, 0.5), 0);
        histogram_add(h, 0);
        assert_int_equal(histogram_quantile(h, 1), 0);
        histogram_add(h, UINT64_MAX);
        assert_true(histogram_quantile(h, 1) == UINT64_MAX);
        test_free(h);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
                cmocka_unit_test(small_values_are_exact),
                cmocka_unit_test(nothing_counted_is_zero_and_extremes_fit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
