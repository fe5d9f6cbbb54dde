#include "database/json_number.h"
#include "tests/lib/test.h"

static void integers_to_64_bits(void **state)
{
        static const struct {
                const char *text;
                int64_t value;
        } exact[] = {
                {"0", 0},
                {"-0", 0},
                {"7", 7},
                {"-12", -12},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN},
        };
        static const char *const lossy[] = {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                "18446744073709551617", "100000000000000000000000000"};
        struct json_number number;

        (void)state;
        for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
                assert_true(json_number_read(slice_str(exact[i].text), &number));
                assert_false(number.is_float);
                assert_true(number.integer == exact[i].value);
        }
        for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++)
                assert_false(json_number_read(slice_str(lossy[i]), &number));
}

static void floats_that_keep_their_digits(void **state)
{
        static const struct {
                const char *text;
                double value;
        } exact[] = {{"0.0", 0.0}, {"0e99", 0.0}, {"2.50", 2.5}, {"1E+2", 100.0}, {"-12.5e-1", -1.25},
                {"1000000000000000000000000.0", 1e24}};
        static const char *const lossy[] = {"0.12345678901234567890", "9007199254740993.0", "1e999", "-1e999", "1e-999",
                "1.0000000000000000000001"};
        struct json_number number;

        (void)state;
        for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
                assert_true(json_number_read(slice_str(exact[i].text), &number));
                assert_true(number.is_float);
                assert_true(number.real == exact[i].value);
        }
        for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++)
                assert_false(json_number_read(slice_str(lossy[i]), &number));
}

static void a_number_as_long_as_a_book_is_refused(void **state)
{
        uint8_t digits[500];
        struct json_number number;

        (void)state;
        memset(digits, '0', sizeof(digits));
        digits[1] = '.';
        assert_true(json_number_read(slice_of(digits, 400), &number));
        assert_false(json_number_read(slice_of(digits, 401), &number));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(integers_to_64_bits),
                cmocka_unit_test(floats_that_keep_their_digits),
                cmocka_unit_test(a_number_as_long_as_a_book_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
