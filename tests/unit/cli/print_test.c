#include "cli/print.h"
#include "tests/lib/test.h"
#include "tests/lib/values.h"

#include <stdlib.h>

static void assert_human(const char *json, size_t width, const char *expected)
{
        struct buf value;
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        buf_init(&value, 0);
        append_json(&value, json);
        assert_ok(print_human(out, buf_slice(&value), width));
        (void)fclose(out);
        assert_string_equal(text, expected);
        free(text);
        buf_deinit(&value);
}

static void records_stand_in_columns(void **state)
{
        (void)state;
        assert_human("[{\"display\":\"Peanut\",\"severity\":\"SEVERE\"},{\"display\":\"Egg\",\"end\":\"2020\"}]", 80,
                "display  severity  end\nPeanut   SEVERE    \nEgg                2020\n");
        assert_human("[{\"n\":1,\"b\":true,\"x\":null,\"list\":[1]}]", 80, "n  b     x\n1  true  -\n");
        assert_human("[]", 80, "nothing recorded\n");
        assert_human("[\"a\",\"b\"]", 80, "a\nb\n");
}

static void a_narrow_screen_shows_how_severe_it_is(void **state)
{
        (void)state;
        assert_human("[{\"id\":\"1\",\"onset\":\"2020\",\"code\":\"7\",\"display\":\"Peanut\",\"status\":\"active\","
                     "\"severity\":\"SEVERE\"}]",
                26,
                "display  severity  status\nPeanut   SEVERE    active\n"
                "(not shown for want of width: onset, code, id)\n");
}

static void what_does_not_fit_is_left_out_and_named(void **state)
{
        (void)state;
        assert_human("[{\"first\":\"1234567890\",\"second\":\"1234567890\",\"third\":\"x\"}]", 25,
                "first       second\n1234567890  1234567890\n(not shown for want of width: third)\n");
        assert_human("[{\"id\":\"7\",\"long\":\"\xc3\xab"
                     "1234567890123456789012345678901234567890\"}]",
                80,
                "long                                      id\n"
                "\xc3\xab"
                "12345678901234567890123456789012345678\xe2\x80\xa6  7\n");
        assert_human("[{\"first\":\"1234567890\"}]", 5, "first\n1234567890\n"); /* one column at least */
}

static void severity_is_shown_on_any_screen(void **state)
{
        struct buf json;

        (void)state;
        assert_human("[{\"x\":\"1\",\"status\":\"active\",\"display\":\"Peanut\","
                     "\"severity\":\"LIFE_THREATENING\"}]",
                20,
                "display  severity          status\n"
                "Peanut   LIFE_THREATENING  active\n(not shown for want of width: x)\n");
        buf_init(&json, 0); /* more members than a table has columns, severity the last of them */
        assert_ok(buf_append_str(&json, "[{"));
        for (int i = 0; i < 40; i++)
                assert_ok(buf_printf(&json, "\"m%02d\":%d,", i, i));
        assert_ok(buf_append_str(&json, "\"severity\":\"SEVERE\"}]"));
        assert_ok(buf_append(&json, "", 1));
        assert_human((const char *)buf_slice(&json).data, 16,
                "severity  m00\nSEVERE    0\n(not shown for want of width: m01, m02, m03, m04, m05, m06, m07, m08, "
                "m09, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24, m25, m26, m27, m28, "
                "m29, "
                "m30, and others)\n");
        buf_deinit(&json);
}

static void maps_are_lines_and_what_is_in_them_is_indented(void **state)
{
        (void)state;
        assert_human("{\"id\":\"42\",\"allergies\":[{\"display\":\"Peanut\"}],\"visits\":[],\"l1\":{\"hits\":3}}", 80,
                "id                      42\nallergies\n  display\n  Peanut\nvisits\n  nothing recorded\nl1\n"
                "  hits                    3\n");
}

static void names_align_by_characters_not_bytes(void **state)
{
        (void)state;
        assert_human("[{\"name\":\"Zo\xc3\xab\",\"x\":\"1\"},{\"name\":\"Anna\",\"x\":\"2\"}]", 80,
                "name  x\nZo\xc3\xab   1\nAnna  2\n");
}

static void records_cannot_play_with_the_terminal(void **state)
{
        (void)state;
        assert_human("{\"na\\u001bme\":\"a\\u001b[2Jb\\nc\\u007f\\u009bd\xc3\xa9\"}", 80,
                "na?me                   a?[2Jb?c??d\xc3\xa9\n");
}

static void damaged_values_are_an_error(void **state)
{
        FILE *out = fopen("/dev/null", "w");

        (void)state;
        assert_err(ERR_CORRUPT, print_json(out, slice_str("\x92\x01")));
        assert_err(ERR_CORRUPT, print_human(out, slice_str("\xc1"), 80));
        (void)fclose(out);
}

static enum err print_some(void *context)
{
        FILE *out = fopen("/dev/null", "w");
        enum err rc = print_human(out, *(struct slice *)context, 80);

        if (rc == OK)
                rc = print_json(out, *(struct slice *)context);
        (void)fclose(out);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct buf value;
        struct slice bytes;

        (void)state;
        buf_init(&value, 0);
        append_json(&value, "{\"a\":[{\"n\":1}],\"b\":2.5,\"c\":\"x\"}");
        bytes = buf_slice(&value);
        each_allocation_fails(print_some, &bytes);
        buf_deinit(&value);
}

static void foreign_text_is_made_plain(void **state)
{
        char out[12];

        (void)state;
        print_plain(out, sizeof(out), "a\x1b[1mb\x7f");
        assert_string_equal(out, "a?[1mb?");
        print_plain(out, sizeof(out),
                "N\xc3\xba\xc3\xb1"
                "ez");
        assert_string_equal(out, "N\xc3\xba\xc3\xb1"
                                 "ez");
        print_plain(out, sizeof(out),
                "N\xfa\xc3\xb1"
                "ez"); /* Latin-1 somewhere: no UTF-8 at all */
        assert_string_equal(out, "N???ez");
        print_plain(out, sizeof(out),
                "a\xc2\x9b"
                "b");
        assert_string_equal(out, "a??b");
        print_plain(out, sizeof(out), "0123456789\xc3\xb1");
        assert_string_equal(out, "0123456789");
        print_plain(out, sizeof(out), "01234567890123");
        assert_string_equal(out, "01234567890");
        print_plain(out, sizeof(out), "");
        assert_string_equal(out, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(foreign_text_is_made_plain),
                cmocka_unit_test(records_stand_in_columns),
                cmocka_unit_test(a_narrow_screen_shows_how_severe_it_is),
                cmocka_unit_test(what_does_not_fit_is_left_out_and_named),
                cmocka_unit_test(severity_is_shown_on_any_screen),
                cmocka_unit_test(maps_are_lines_and_what_is_in_them_is_indented),
                cmocka_unit_test(names_align_by_characters_not_bytes),
                cmocka_unit_test(records_cannot_play_with_the_terminal),
                cmocka_unit_test(damaged_values_are_an_error),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
