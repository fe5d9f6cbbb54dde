#include "database/json_bytes.h"
#include "tests/lib/test.h"

static void sound(const char *text)
{
        struct json_bytes_fault wrong;

        assert_true(json_bytes_check(slice_str(text), &wrong));
}

static void wrong(struct slice text, enum reject_reason reason, size_t at, const char *what)
{
        struct json_bytes_fault fault;

        assert_false(json_bytes_check(text, &fault));
        assert_string_equal(reject_word(fault.reason), reject_word(reason));
        assert_int_equal(fault.at, at);
        assert_string_equal(fault.what, what);
}

static void bytes_that_no_json_has(void **state)
{
        (void)state;
        sound("");
        sound("{\t\"a\":\r\n\"Agust\xc3\xadn \xf0\x9f\x98\x80\x7f\"}");
        wrong(slice_of("[\0]", 3), REJECT_JSON, 1, "a NUL byte");
        wrong(slice_str("[1\x0c]"), REJECT_JSON, 2, "a control character");
        wrong(slice_str("\"a\x1f\""), REJECT_JSON, 2, "a control character");
        wrong(slice_str("\"Agust\xedn\""), REJECT_ENCODING, 6, "not UTF-8");
        wrong(slice_str("\"\xc3"), REJECT_ENCODING, 1, "not UTF-8");
        wrong(slice_str("\"\xf4\x90\x80\x80\""), REJECT_ENCODING, 1, "not UTF-8");
}

static void surrogates_come_in_pairs(void **state)
{
        static const char *const halves[] = {"\\ud83d", "\\ude00", "\\uD83D\\ud83d", "\\ud83dx\\ude00", "\\ud83d\\",
                "\\ud83d\\u", "\\ud83d\\ude0", "\\udbff\\n"};

        (void)state;
        sound("\\ud83d\\ude00");
        sound("\\uD800\\uDFFF\\uDBFF\\uDC00");
        sound("\\\\ud83d"); /* a backslash, and letters */
        sound("\\ud7ff\\ue000\\u0000\\u12");
        sound("\\");
        for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
                wrong(slice_str(halves[i]), REJECT_JSON, 0, "half of a surrogate pair");
}

static void lines_and_columns_count_from_one(void **state)
{
        const struct slice text = slice_str("ab\n\ncd");
        static const size_t expected[][2] = {{1, 1}, {1, 2}, {1, 3}, {2, 1}, {3, 1}, {3, 2}, {3, 3}, {3, 3}};

        (void)state;
        for (size_t at = 0; at < sizeof(expected) / sizeof(expected[0]); at++) {
                size_t line;
                size_t column;

                json_bytes_locate(text, at, &line, &column);
                assert_int_equal(line, expected[at][0]);
                assert_int_equal(column, expected[at][1]);
        }
}

static void repaired(const char *text, const char *expected)
{
        struct buf out;

        buf_init(&out, 0);
        assert_ok(json_bytes_repair(slice_str(text), &out));
        assert_slice_is(buf_slice(&out), expected);
        buf_deinit(&out);
}

static void what_is_no_character_is_replaced(void **state)
{
        (void)state;
        repaired("", "");
        repaired("Agust\xc3\xadn \xf0\x9f\x98\x80", "Agust\xc3\xadn \xf0\x9f\x98\x80");
        repaired("Agust\xedn", "Agust\xef\xbf\xbdn");
        repaired("\xf0\x9f\x98", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
        repaired("\xc3", "\xef\xbf\xbd");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bytes_that_no_json_has),
                cmocka_unit_test(surrogates_come_in_pairs),
                cmocka_unit_test(lines_and_columns_count_from_one),
                cmocka_unit_test(what_is_no_character_is_replaced),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
