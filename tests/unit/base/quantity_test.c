#include "base/quantity.h"

#include "tests/lib/test.h"

#define S UINT64_C(1000000000)

static void assert_reads(enum quantity_kind kind, const char *text, uint64_t expected)
{
        uint64_t value = 1;
        struct err_msg msg = {""};

        if (quantity_parse(kind, slice_str(text), &value, &msg) != OK)
                fail_msg("%s %s", text, msg.text);
        assert_true(value == expected);
}

static void assert_refuses(enum quantity_kind kind, const char *text, const char *expected)
{
        uint64_t value = 77;
        struct err_msg msg = {""};

        assert_err(ERR_CONFIG, quantity_parse(kind, slice_str(text), &value, &msg));
        assert_string_equal(msg.text, expected);
        assert_int_equal(value, 77);
}

static void units_are_read(void **state)
{
        (void)state;
        assert_reads(QUANTITY_NUMBER, "0", 0);
        assert_reads(QUANTITY_NUMBER, "70000", 70000);
        assert_reads(QUANTITY_NUMBER, "9223372036854775807", QUANTITY_MAX);
        assert_reads(QUANTITY_DURATION, "1ns", 1);
        assert_reads(QUANTITY_DURATION, "7us", 7000);
        assert_reads(QUANTITY_DURATION, "250ms", S / 4);
        assert_reads(QUANTITY_DURATION, "60s", 60 * S);
        assert_reads(QUANTITY_DURATION, "10m", 600 * S);
        assert_reads(QUANTITY_DURATION, "1h", 3600 * S);
        assert_reads(QUANTITY_DURATION, "7d", 7 * 86400 * S);
        assert_reads(QUANTITY_DURATION, "0s", 0);
        assert_reads(QUANTITY_SIZE, "1B", 1);
        assert_reads(QUANTITY_SIZE, "64KB", 64000);
        assert_reads(QUANTITY_SIZE, "64KiB", 65536);
        assert_reads(QUANTITY_SIZE, "64MB", 64000000);
        assert_reads(QUANTITY_SIZE, "64mib", 64 << 20);
        assert_reads(QUANTITY_SIZE, "1GiB", UINT64_C(1) << 30);
        assert_reads(QUANTITY_SIZE, "2TB", UINT64_C(2000000000000));
        assert_reads(QUANTITY_SIZE, "1TiB", UINT64_C(1) << 40);
}

static void a_missing_unit_is_named(void **state)
{
        (void)state;
        assert_refuses(QUANTITY_DURATION, "60", "is 60, without a unit; write 60s or 1m");
        assert_refuses(QUANTITY_DURATION, "61", "is 61, without a unit; write 61s");
        assert_refuses(QUANTITY_DURATION, "0", "is 0, without a unit; write 0s");
        assert_refuses(QUANTITY_SIZE, "64", "is 64, without a unit; write 64MB");
        assert_refuses(QUANTITY_SIZE, "1000", "is 1000, without a unit; write 1000MB or 1GB");
        assert_refuses(QUANTITY_SIZE, "18446744073709551615",
                "is 18446744073709551615, without a unit; write 18446744073709551615MB");
}

static void other_forms_are_refused(void **state)
{
        (void)state;
        assert_refuses(QUANTITY_NUMBER, "", "is \"\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "-1", "is \"-1\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "+1", "is \"+1\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "1.5", "is \"1.5\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "0x10", "is \"0x10\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "007", "is \"007\"; it must be a whole number");
        assert_refuses(
                QUANTITY_NUMBER, "18446744073709551616", "is \"18446744073709551616\"; it must be a whole number");
        assert_refuses(QUANTITY_NUMBER, "9223372036854775808", "is too large");
        assert_refuses(QUANTITY_DURATION, "1.5h", "is \"1.5h\"; it must be a duration such as 250ms, 60s, 10m or 1h");
        assert_refuses(QUANTITY_DURATION, "10M", "is \"10M\"; it must be a duration such as 250ms, 60s, 10m or 1h");
        assert_refuses(QUANTITY_DURATION, "1 h", "is \"1 h\"; it must be a duration such as 250ms, 60s, 10m or 1h");
        assert_refuses(QUANTITY_DURATION, "h", "is \"h\"; it must be a duration such as 250ms, 60s, 10m or 1h");
        assert_refuses(QUANTITY_DURATION, "200000d", "is too large");
        assert_refuses(QUANTITY_SIZE, "64M", "is \"64M\"; it must be a size such as 64KB, 64MB or 1GiB");
        assert_refuses(QUANTITY_SIZE, "9000000TiB", "is too large");
        assert_refuses(QUANTITY_SIZE, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                "is \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; it must be a size such as 64KB, 64MB or 1GiB");
}

static void ranges_are_held(void **state)
{
        struct err_msg msg = {""};

        (void)state;
        assert_ok(quantity_check(QUANTITY_NUMBER, 1, 1, 65535, &msg));
        assert_ok(quantity_check(QUANTITY_NUMBER, 65535, 1, 65535, &msg));
        assert_err(ERR_CONFIG, quantity_check(QUANTITY_NUMBER, 70000, 1, 65535, &msg));
        assert_string_equal(msg.text, "is 70000; it must be 1 to 65535");
        assert_err(ERR_CONFIG, quantity_check(QUANTITY_DURATION, 0, S, 3600 * S, &msg));
        assert_string_equal(msg.text, "is 0s; it must be 1s to 1h");
        assert_err(ERR_CONFIG, quantity_check(QUANTITY_SIZE, 1, 1000, UINT64_C(1) << 30, NULL));
}

static void what_is_written_can_be_read(void **state)
{
        static const struct {
                enum quantity_kind kind;
                uint64_t value;
                const char *text;
        } rows[] = {
                {QUANTITY_NUMBER, 0, "0"},
                {QUANTITY_NUMBER, 1048576, "1048576"},
                {QUANTITY_DURATION, 0, "0s"},
                {QUANTITY_DURATION, 90 * S, "90s"},
                {QUANTITY_DURATION, 120 * S, "2m"},
                {QUANTITY_DURATION, 86400 * S, "1d"},
                {QUANTITY_DURATION, S / 4, "250ms"},
                {QUANTITY_DURATION, 1, "1ns"},
                {QUANTITY_SIZE, 0, "0MB"},
                {QUANTITY_SIZE, 64000000, "64MB"},
                {QUANTITY_SIZE, 1 << 20, "1MiB"},
                {QUANTITY_SIZE, 1000, "1KB"},
                {QUANTITY_SIZE, 1025, "1025B"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[QUANTITY_TEXT_SIZE];

                assert_string_equal(quantity_format(rows[i].kind, rows[i].value, text), rows[i].text);
                assert_reads(rows[i].kind, text, rows[i].value);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(units_are_read),
                cmocka_unit_test(a_missing_unit_is_named),
                cmocka_unit_test(other_forms_are_refused),
                cmocka_unit_test(ranges_are_held),
                cmocka_unit_test(what_is_written_can_be_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
