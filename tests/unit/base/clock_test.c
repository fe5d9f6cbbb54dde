#include "base/clock.h"
#include "tests/lib/test.h"

static void arithmetic_saturates_at_never(void **state)
{
        (void)state;
        assert_true(nanos_add(NANOS_NEVER, nanos_ms(1)).ns == INT64_MAX);
        assert_true(nanos_add((struct nanos){INT64_MAX - 1}, nanos_ms(1)).ns == INT64_MAX);
        assert_int_equal(nanos_add(nanos_ms(2), nanos_ms(3)).ns, 5 * NANOS_PER_MS);
        assert_int_equal(nanos_to_ms(nanos_sub(nanos_ms(5), nanos_ms(3))), 2);
        assert_true(nanos_before(nanos_ms(1), nanos_ms(2)));
        assert_false(nanos_before(nanos_ms(2), nanos_ms(2)));
}

static void the_boot_clock_never_goes_back(void **state)
{
        struct nanos last = clock_boot();

        (void)state;
        for (int i = 0; i < 1000; i++) {
                struct nanos now = clock_boot();

                assert_false(nanos_before(now, last));
                last = now;
        }
}

static void formats_as_rfc_3339(void **state)
{
        char text[CLOCK_TEXT_SIZE];

        (void)state;
        clock_format((struct wall){INT64_C(1795255200123)}, text);
        assert_string_equal(text, "2026-11-21T10:00:00.123Z");
        clock_format((struct wall){0}, text);
        assert_string_equal(text, "1970-01-01T00:00:00.000Z");
        assert_true(clock_wall().ms > INT64_C(1700000000000));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(arithmetic_saturates_at_never),
                cmocka_unit_test(the_boot_clock_never_goes_back),
                cmocka_unit_test(formats_as_rfc_3339),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
