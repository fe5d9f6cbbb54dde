#include "database/value_json.h"
#include "tests/lib/values.h"

#include <stdio.h>

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
        refuse("{\"a\":1,\"a\":2}", ERR_BADVALUE,
                "JSON at line 1, column 10: the object has a member of this name already");
        refuse("{\"a\":1,}", ERR_BADVALUE, "JSON at line 1, column 8: invalid object key (must be a string)");
        refuse("[1] 2", ERR_BADVALUE, "JSON at line 1, column 5: trailing garbage");
        refuse("[1] []", ERR_BADVALUE, "JSON at line 1, column 5: trailing garbage");
        refuse("", ERR_BADVALUE, "JSON at line 1, column 1: premature EOF");
        refuse("{\"a\":", ERR_BADVALUE, "JSON at line 1, column 5: premature EOF");
        refuse("\"open", ERR_BADVALUE, "JSON at line 1, column 5: premature EOF");
        refuse("tru", ERR_BADVALUE, "JSON at line 1, column 3: invalid string in json text");
        refuse("[1,\n2,\n 01]", ERR_BADVALUE, "JSON at line 3, column 3: after array element, I expect ',' or ']'");
        refuse("--1", ERR_BADVALUE,
                "JSON at line 1, column 1: malformed number, a digit is required after the minus sign");
        refuse("/**/1", ERR_BADVALUE,
                "JSON at line 1, column 1: probable comment found in input text, comments are not enabled");
        refuse("\xef\xbb\xbf[]", ERR_BADVALUE, "JSON at line 1, column 1: invalid char in json text");
}

static void numbers_are_exact_or_refused(void **state)
{
        static const struct {
                const char *json;
                int line;
                int column;
        } lossy[] = {
                {"[1,\n  {\"a\": 0.12345678901234567890}]", 2, 9},
                {"1e999", 1, 1},
                {"1e-999", 1, 1},
                {"[9007199254740993.0]", 1, 2},
                {"[9223372036854775808]", 1, 2},
                {"[ -9223372036854775809]", 1, 3},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++) {
                char text[128];

                (void)snprintf(text, sizeof(text),
                        "JSON at line %d, column %d: 64 bits cannot hold this number without loss; write it as text",
                        lossy[i].line, lossy[i].column);
                refuse(lossy[i].json, ERR_BADVALUE, text);
        }
}

/* As texts are read whose numbers may be anything. */
static void numbers_become_text_where_that_is_asked_for(void **state)
{
        const struct value_json_rules rules = {.limits = VALUE_LIMITS_DEFAULT, .numbers = VALUE_NUMBERS_OR_TEXT};
        struct value_json_fault fault;
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        assert_ok(value_from_json_text(
                slice_str("[1.10,0.12345678901234567890,9223372036854775808,-1e999,7]"), &rules, &value, &fault));
        assert_value_is(buf_slice(&value), "[1.1,\"0.12345678901234567890\",\"9223372036854775808\",\"-1e999\",7]");
        buf_deinit(&value);
}

static void refuses_what_the_parser_would_take(void **state)
{
        (void)state;
        refuse("\"\xff\"", ERR_BADVALUE, "JSON at line 1, column 2: not UTF-8");
        refuse("\"\xc0\xaf\"", ERR_BADVALUE, "JSON at line 1, column 2: not UTF-8");
        refuse("\"\xed\xa0\x80\"", ERR_BADVALUE, "JSON at line 1, column 2: not UTF-8");
        refuse("\"\\ud83d!\"", ERR_BADVALUE, "JSON at line 1, column 2: half of a surrogate pair");
        refuse("\"\\ude00\\ud83d\"", ERR_BADVALUE, "JSON at line 1, column 2: half of a surrogate pair");
        refuse("[1]\x0b", ERR_BADVALUE, "JSON at line 1, column 4: a control character");
        refuse("{\"a\\u0000\":1}", ERR_BADVALUE, "JSON at line 1, column 10: a member's name has a NUL in it");
}

/* Where a list or map has so many members that its head is wider than the byte it began as. */
static void many_members_have_wider_heads(void **state)
{
        static const uint32_t counts[] = {15, 16, 17, 65535, 65536};
        const struct value_limits limits = {.bytes = 1u << 24, .depth = 3, .elements = 1u << 20};

        (void)state;
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                struct buf json;
                struct buf value;
                struct buf expected;

                buf_init(&json, 0);
                buf_init(&value, 0);
                buf_init(&expected, 0);
                assert_ok(buf_append_str(&json, "[["));
                assert_ok(value_put_list(&expected, 2));
                assert_ok(value_put_list(&expected, counts[i]));
                for (uint32_t k = 0; k < counts[i]; k++) {
                        assert_ok(buf_append_str(&json, k == 0 ? "1" : ",1"));
                        assert_ok(value_put_int(&expected, 1));
                }
                assert_ok(buf_append_str(&json, "],{"));
                assert_ok(value_put_map(&expected, counts[i]));
                for (uint32_t k = 0; k < counts[i]; k++) {
                        char name[16];

                        (void)snprintf(name, sizeof(name), "m%u", k);
                        assert_ok(buf_printf(&json, "%s\"%s\":null", k == 0 ? "" : ",", name));
                        assert_ok(value_put_str(&expected, name));
                        assert_ok(value_put_nil(&expected));
                }
                assert_ok(buf_append_str(&json, "}]"));
                assert_ok(value_from_json(buf_slice(&json), &limits, &value, NULL));
                assert_true(slice_equal(buf_slice(&value), buf_slice(&expected)));
                buf_deinit(&expected);
                buf_deinit(&value);
                buf_deinit(&json);
        }
}

/* The parser unescapes in a buffer of its own, which grows. */
static void long_texts_with_escapes_survive(void **state)
{
        char json[20003] = "\"";

        (void)state;
        for (int i = 0; i < 10000; i++)
                memcpy(json + 1 + 2 * i, i % 100 == 0 ? "\\n" : "xy", 2);
        json[20001] = '"';
        round_trip(json, json);
}

static void finds_twins_among_many(void **state)
{
        struct buf json;
        struct buf value;
        struct value_json_fault fault;
        const struct value_json_rules rules = {.limits = VALUE_LIMITS_DEFAULT};

        (void)state;
        buf_init(&json, 0);
        buf_init(&value, 0);
        assert_ok(buf_append_str(&json, "{\n"));
        for (int i = 0; i < 40; i++)
                assert_ok(buf_printf(&json, "\"m%d\": {\"m%d\": 0},\n", i, i));
        assert_ok(buf_append_str(&json, " \"m7\": 0,\n\"last\": 0}"));
        assert_err(ERR_BADVALUE, value_from_json_text(buf_slice(&json), &rules, &value, &fault));
        assert_int_equal(fault.reason, REJECT_JSON);
        assert_int_equal(fault.line, 42);
        assert_int_equal(fault.column, 5);
        assert_int_equal(buf_len(&value), 0);
        buf_deinit(&value);
        buf_deinit(&json);
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
        assert_string_equal(msg.text, "JSON at line 1, column 3: nested deeper than 2");
        assert_ok(value_from_json(slice_str("[\"[[{\\\"[\"]"), &tight, &value, NULL)); /* brackets in text */
        assert_err(ERR_LIMIT, value_from_json(slice_str("[1,2,3]"), &tight, &value, &msg));
        assert_string_equal(msg.text, "JSON at line 1, column 6: more than 3 items");
        assert_err(ERR_LIMIT, value_from_json(slice_str("[1,2,3,4,5,6]"), &tight, &value, &msg));
        assert_string_equal(msg.text, "the JSON text has 13 bytes; at most 12 are allowed");
        buf_deinit(&value);
        buf_init(&value, 2);
        assert_err(ERR_LIMIT, value_from_json(slice_str("\"text\""), &tight, &value, &msg));
        assert_string_equal(msg.text, "the value is longer than its buffer may be");
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

/* yajl, which does not look at what it is given, and more members than are compared without a sorted list. */
static enum err both_ways(void *context)
{
        struct buf value;
        struct buf json;
        enum err rc;

        (void)context;
        buf_init(&value, 0);
        buf_init(&json, 0);
        rc = value_from_json(slice_str("{\"id\":\"7\",\"list\":[1,2.5,\"an \\u0065scaped text\",{\"x\":null}],"
                                       "\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,"
                                       "\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0}"),
                &LIMITS, &value, NULL);
        if (rc == OK)
                rc = value_to_json(buf_slice(&value), &json);
        buf_deinit(&json);
        buf_deinit(&value);
        return rc;
}

/* The parser's words are made in its memory, too. */
static enum err refused(void *context)
{
        struct buf value;
        enum err rc;

        (void)context;
        buf_init(&value, 0);
        rc = value_from_json(slice_str("{\"a\":[1,}"), &LIMITS, &value, NULL);
        buf_deinit(&value);
        return rc == ERR_BADVALUE ? OK : rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(both_ways, NULL);
        each_allocation_fails(refused, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_survive_the_round_trip),
                cmocka_unit_test(floats_keep_every_digit),
                cmocka_unit_test(says_where_and_what_is_wrong),
                cmocka_unit_test(numbers_are_exact_or_refused),
                cmocka_unit_test(numbers_become_text_where_that_is_asked_for),
                cmocka_unit_test(refuses_what_the_parser_would_take),
                cmocka_unit_test(many_members_have_wider_heads),
                cmocka_unit_test(long_texts_with_escapes_survive),
                cmocka_unit_test(finds_twins_among_many),
                cmocka_unit_test(holds_its_limits),
                cmocka_unit_test(damaged_bytes_are_an_error_and_leave_nothing),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
