#include "database/value_json.h"
#include "tests/lib/test.h"

static const struct value_limits LIMITS = VALUE_LIMITS_DEFAULT;

/* JSON to a value and back; the text that comes out. */
static void round_trip(const char *in, const char *expected)
{
        struct buf value;
        struct buf json;
        struct err_msg msg = {.text = ""};
        enum err rc;

        buf_init(&value, 0);
        buf_init(&json, 0);
        rc = value_from_json(slice_str(in), &LIMITS, &value, &msg);
        assert_string_equal(msg.text, "");
        assert_ok(rc);
        assert_ok(value_check(buf_slice(&value), &LIMITS, &msg));
        assert_ok(value_to_json(buf_slice(&value), &json));
        assert_slice_is(buf_slice(&json), expected);
        buf_deinit(&json);
        buf_deinit(&value);
}

static void values_survive_the_round_trip(void **state)
{
        (void)state;
        round_trip("null", "null");
        round_trip(" true ", "true");
        round_trip("false", "false");
        round_trip("[]", "[]");
        round_trip("{}", "{}");
        round_trip("-9223372036854775808", "-9223372036854775808");
        round_trip("9223372036854775807", "9223372036854775807");
        round_trip("[1, 2.5, \"x\", {\"z\": 1, \"a\": [null]}]", "[1,2.5,\"x\",{\"z\":1,\"a\":[null]}]");
        round_trip("\"Agust\\u00edn \\ud83d\\ude00 Zo\xc3\xab\"", "\"Agust\xc3\xadn \xf0\x9f\x98\x80 Zo\xc3\xab\"");
        round_trip(
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u0000\"", "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u0000\"");
}

static void floats_keep_every_digit(void **state)
{
        (void)state;
        round_trip("0.1", "0.1");
        round_trip("1.0", "1.0");
        round_trip("-0.0", "-0.0");
        round_trip("1e2", "100.0");
        round_trip("1e300", "1e+300");
        round_trip("5e-324", "4.94065645841247e-324");
        round_trip("0.30000000000000004", "0.30000000000000004");
        round_trip("123456789012345.67", "123456789012345.67");
        round_trip("1000000000000000000000000.0", "1e+24");
}

static void refuse(const char *json, enum err code, const char *text)
{
        struct buf value;
        struct err_msg msg = {.text = ""};

        buf_init(&value, 0);
        assert_ok(buf_append_str(&value, "kept"));
        assert_err(code, value_from_json(slice_str(json), &LIMITS, &value, &msg));
        assert_string_equal(msg.text, text);
        assert_slice_is(buf_slice(&value), "kept");
        buf_deinit(&value);
}

static void says_where_and_what_is_wrong(void **state)
{
        (void)state;
        refuse("[1,\n  {\"a\": 0.12345678901234567890}]", ERR_BADVALUE,
                "JSON at line 2, column 9: a 64-bit float cannot hold this number without loss; write it as text");
        refuse("1e999", ERR_BADVALUE,
                "JSON at line 1, column 1: a 64-bit float cannot hold this number without loss; write it as text");
        refuse("1e-999", ERR_BADVALUE,
                "JSON at line 1, column 1: a 64-bit float cannot hold this number without loss; write it as text");
        refuse("[9007199254740993.0]", ERR_BADVALUE,
                "JSON at line 1, column 2: a 64-bit float cannot hold this number without loss; write it as text");
        refuse("[9223372036854775808]", ERR_BADVALUE, "JSON at line 1, column 20: too big integer");
        refuse("{\"a\":1,\"a\":2}", ERR_BADVALUE, "JSON at line 1, column 10: duplicate object key");
        refuse("{\"a\":1,}", ERR_BADVALUE, "JSON at line 1, column 8: string or '}' expected");
        refuse("[1] 2", ERR_BADVALUE, "JSON at line 1, column 5: end of file expected");
        refuse("", ERR_BADVALUE, "JSON at line 1, column 0: unexpected token near end of file");
        refuse("\"\xff\"", ERR_BADVALUE, "JSON at line 1, column 1: unable to decode byte 0xff");
        refuse("\"open", ERR_BADVALUE, "JSON at line 1, column 5: premature end of input");
        refuse("--1", ERR_BADVALUE, "JSON at line 1, column 1: invalid token");
}

static void holds_its_limits(void **state)
{
        const struct value_limits tight = {.bytes = 12, .depth = 2, .elements = 3};
        struct buf value;
        struct err_msg msg;

        (void)state;
        buf_init(&value, 0);
        assert_ok(value_from_json(slice_str("[[1]]"), &tight, &value, NULL));
        assert_err(ERR_LIMIT, value_from_json(slice_str("[[[1]]]"), &tight, &value, &msg));
        assert_string_equal(msg.text, "JSON at byte 2: nested deeper than 2");
        assert_ok(value_from_json(slice_str("[\"[[{\\\"[\"]"), &tight, &value, NULL)); /* brackets in text */
        assert_err(ERR_LIMIT, value_from_json(slice_str("[1,2,3]"), &tight, &value, &msg));
        assert_err(ERR_LIMIT, value_from_json(slice_str("[1,2,3,4,5,6]"), &tight, &value, &msg));
        assert_string_equal(msg.text, "the JSON text has 13 bytes; at most 12 are allowed");
        buf_deinit(&value);
}

static void damaged_bytes_are_an_error_and_leave_nothing(void **state)
{
        static const char *const damaged[] = {"\x92\x01", "\x81\x01\x01", "\xc1", "\x01\x01", "\x81\xa1"};
        struct buf json;
        uint8_t deep[VALUE_DEPTH_MAX + 2];

        (void)state;
        buf_init(&json, 0);
        assert_ok(buf_append_str(&json, "kept"));
        for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
                assert_err(ERR_CORRUPT, value_to_json(slice_str(damaged[i]), &json));
        memset(deep, 0x91, sizeof(deep));
        deep[sizeof(deep) - 1] = 0x01;
        assert_err(ERR_CORRUPT, value_to_json(slice_of(deep, sizeof(deep)), &json));
        assert_slice_is(buf_slice(&json), "kept");
        buf_deinit(&json);
}

static enum err both_ways(void *context)
{
        struct buf value;
        struct buf json;
        enum err rc;

        (void)context;
        buf_init(&value, 0);
        buf_init(&json, 0);
        rc = value_from_json(slice_str("{\"id\":\"7\",\"list\":[1,2.5,\"a long enough text\",{\"x\":null}]}"), &LIMITS,
                &value, NULL);
        if (rc == OK)
                rc = value_to_json(buf_slice(&value), &json);
        buf_deinit(&json);
        buf_deinit(&value);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(both_ways, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_survive_the_round_trip),
                cmocka_unit_test(floats_keep_every_digit),
                cmocka_unit_test(says_where_and_what_is_wrong),
                cmocka_unit_test(holds_its_limits),
                cmocka_unit_test(damaged_bytes_are_an_error_and_leave_nothing),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
