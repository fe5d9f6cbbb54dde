#include "base/hash.h"
#include "tests/lib/test.h"

static void depends_on_bytes_and_seed_alone(void **state)
{
        char copy[] = "student";

        (void)state;
        assert_true(hash64(slice_str("student"), 1) == hash64(slice_str(copy), 1));
        assert_true(hash64(slice_str("student"), 1) != hash64(slice_str("student"), 2));
        assert_true(hash64(slice_str("student"), 1) != hash64(slice_str("studenu"), 1));
        assert_true(hash64(SLICE_EMPTY, 1) == hash64(slice_str(""), 1));
}

static void random_bytes_fill_all_of_it_and_differ(void **state)
{
        uint8_t a[1024] = {0};
        uint8_t b[1024] = {0};
        int zeros = 0;

        (void)state;
        assert_ok(random_bytes(a, sizeof(a)));
        assert_ok(random_bytes(b, sizeof(b)));
        assert_memory_not_equal(a, b, sizeof(a));
        for (size_t i = 0; i < sizeof(a); i++)
                zeros += a[i] == 0;
        assert_true(zeros < 64); /* 4 expected */
}

static void the_generator_repeats_by_its_state(void **state)
{
        uint64_t s1 = 0;
        uint64_t s2 = 0;

        (void)state;
        assert_true(random_next(&s1) == UINT64_C(0xe220a8397b1dcdaf)); /* splitmix64's first number for seed 0 */
        assert_true(random_next(&s2) == UINT64_C(0xe220a8397b1dcdaf));
        assert_true(random_next(&s1) == random_next(&s2));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(depends_on_bytes_and_seed_alone),
                cmocka_unit_test(random_bytes_fill_all_of_it_and_differ),
                cmocka_unit_test(the_generator_repeats_by_its_state),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
