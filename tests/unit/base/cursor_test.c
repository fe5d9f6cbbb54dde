#include "base/cursor.h"
#include "tests/lib/test.h"

static void reads_in_order_and_never_past_the_end(void **state)
{
        const uint8_t bytes[] = {1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 'x', 'y', ';', 'z'};
        struct cursor c = cursor_of(slice_of(bytes, sizeof(bytes)));
        struct slice s;
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint64_t u64;

        (void)state;
        assert_true(cursor_u8(&c, &u8) && u8 == 1);
        assert_true(cursor_u16(&c, &u16) && u16 == 2);
        assert_true(cursor_u32(&c, &u32) && u32 == 3);
        assert_true(cursor_u64(&c, &u64) && u64 == 4);
        assert_true(cursor_until(&c, ';', &s));
        assert_slice_is(s, "xy");
        assert_false(cursor_until(&c, ';', &s));
        assert_false(cursor_take(&c, 2, &s));
        assert_false(cursor_u16(&c, &u16));
        assert_false(cursor_u32(&c, &u32));
        assert_false(cursor_u64(&c, &u64));
        assert_true(cursor_take(&c, 1, &s)); /* the failed reads moved nothing */
        assert_slice_is(s, "z");
        assert_false(cursor_u8(&c, &u8));
        assert_false(cursor_until(&c, ';', &s));
}

static void an_empty_slice_has_nothing_to_read(void **state)
{
        struct cursor c = cursor_of(SLICE_EMPTY);
        struct slice s;
        uint8_t u8;

        (void)state;
        assert_false(cursor_u8(&c, &u8));
        assert_true(cursor_take(&c, 0, &s));
        assert_int_equal(s.len, 0);
}

static void numbers_are_read_only_as_they_are_printed(void **state)
{
        const char *const bad[] = {"", "-", "+1", " 1", "1 ", "01", "-0", "00", "1a", "0x1", "9223372036854775808",
                "-9223372036854775809", "99999999999999999999", "1.0"};
        int64_t i = 0;
        uint64_t u = 0;

        (void)state;
        for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++)
                assert_false(slice_to_i64(slice_str(bad[n]), &i));
        assert_true(slice_to_i64(slice_str("9223372036854775807"), &i) && i == INT64_MAX);
        assert_true(slice_to_i64(slice_str("-9223372036854775808"), &i) && i == INT64_MIN);
        assert_true(slice_to_i64(slice_str("0"), &i) && i == 0);
        assert_true(slice_to_u64(slice_str("18446744073709551615"), &u) && u == UINT64_MAX);
        assert_false(slice_to_u64(slice_str("18446744073709551616"), &u));
        assert_false(slice_to_u64(slice_str("-1"), &u));
}

static void utf8_is_checked_by_rfc_3629(void **state)
{
        const char *const good[] = {"", "a", "Agust\xc3\xadn", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
                "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"};
        const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xff", "a\xc3z", "\xf0\x80\x80\x80",
                "\xe2\x82z"};

        (void)state;
        for (size_t n = 0; n < sizeof(good) / sizeof(*good); n++)
                assert_true(slice_is_utf8(slice_str(good[n])));
        for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++)
                assert_false(slice_is_utf8(slice_str(bad[n])));
}

/* Text is passed in words of eight bytes: what is wrong in it must be seen wherever it stands. */
static void a_wrong_byte_is_seen_wherever_it_stands(void **state)
{
        uint8_t text[40];

        (void)state;
        for (size_t len = 1; len <= sizeof(text); len++) {
                memset(text, 'x', len);
                assert_true(slice_is_utf8(slice_of(text, len)));
                assert_false(slice_has_control(slice_of(text, len)));
                for (size_t at = 0; at < len; at++) {
                        text[at] = 0x80;
                        assert_false(slice_is_utf8(slice_of(text, len)));
                        assert_false(slice_has_control(slice_of(text, len)));
                        text[at] = 0x1f;
                        assert_true(slice_has_control(slice_of(text, len)));
                        text[at] = 0x20;
                        assert_false(slice_has_control(slice_of(text, len)));
                        text[at] = 'x';
                }
        }
        assert_true(slice_has_control(slice_of("\0", 1)));
        assert_false(slice_has_control(SLICE_EMPTY));
        assert_true(slice_is_utf8(slice_str("seven b\xc3\xad and more \xf0\x9f\x98\x80")));
}

static void slices_compare_as_bytes_and_words_without_case(void **state)
{
        (void)state;
        assert_true(slice_compare(slice_str("a"), slice_str("ab")) < 0);
        assert_true(slice_compare(slice_str("b"), slice_str("ab")) > 0);
        assert_true(slice_compare(slice_str("\xff"), slice_str("a")) > 0);
        assert_true(slice_compare(SLICE_EMPTY, SLICE_EMPTY) == 0);
        assert_true(slice_equal(slice_str("ab"), slice_str("ab")));
        assert_false(slice_equal(slice_str("ab"), slice_str("ac")));
        assert_true(slice_is_word(slice_str("gEt"), "GET"));
        assert_false(slice_is_word(slice_str("GETX"), "GET"));
        assert_false(slice_is_word(slice_str("GE"), "GET"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads_in_order_and_never_past_the_end),
                cmocka_unit_test(an_empty_slice_has_nothing_to_read),
                cmocka_unit_test(numbers_are_read_only_as_they_are_printed),
                cmocka_unit_test(utf8_is_checked_by_rfc_3629),
                cmocka_unit_test(a_wrong_byte_is_seen_wherever_it_stands),
                cmocka_unit_test(slices_compare_as_bytes_and_words_without_case),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
