#include "database/tag.h"

#include "base/hash.h"
#include "tests/lib/test.h"

static struct slice text(const char *s)
{
        return slice_str(s);
}

static void text_forms_are_read_and_written_back(void **state)
{
        static const struct {
                const char *text;
                enum tag_kind kind;
                const char *student;
                const char *table;
        } rows[] = {
                {"student:42/allergies", TAG_STUDENT_TABLE, "42", "allergies"},
                {"student:a/b/visits", TAG_STUDENT_TABLE, "a/b", "visits"},
                {"student:42", TAG_STUDENT, "42", ""},
                {"student:a:b", TAG_STUDENT, "a:b", ""},
                {"allergies", TAG_TABLE, "", "allergies"},
                {"*", TAG_ALL, "", ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct buf out;
                struct tag tag;

                buf_init(&out, 0);
                assert_ok(tag_parse(text(rows[i].text), SLICE_EMPTY, &tag, NULL));
                assert_int_equal(tag.kind, rows[i].kind);
                assert_slice_is(tag.student, rows[i].student);
                assert_slice_is(tag.table, rows[i].table);
                assert_ok(tag_format(&tag, &out));
                assert_slice_is(buf_slice(&out), rows[i].text);
                buf_deinit(&out);
        }
}

static void malformed_text_is_refused_with_a_reason(void **state)
{
        static const char *const bad[] = {"", "student:", "student:/allergies", "student:42/", "pupil:42", "a/b"};
        char long_id[8 + TAG_PART_MAX + 2] = "student:";
        struct err_msg msg;
        struct tag tag;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                msg.text[0] = '\0';
                assert_err(ERR_BADARG, tag_parse(text(bad[i]), SLICE_EMPTY, &tag, &msg));
                assert_true(strlen(msg.text) > 10);
        }
        memset(long_id + 8, 'x', TAG_PART_MAX + 1);
        assert_err(ERR_BADARG, tag_parse(text(long_id), SLICE_EMPTY, &tag, &msg));
        assert_non_null(strstr(msg.text, "513"));
}

static void the_binary_form_is_as_documented(void **state)
{
        static const uint8_t expected[] = "\x01\x00\x02"
                                          "T1"
                                          "\x00\x02"
                                          "42"
                                          "\x00\x09"
                                          "allergies";
        uint8_t out[TAG_BINARY_MAX];
        struct tag tag;

        (void)state;
        assert_ok(tag_parse(text("student:42/allergies"), text("T1"), &tag, NULL));
        assert_int_equal(tag_encode(&tag, out), sizeof(expected) - 1);
        assert_memory_equal(out, expected, sizeof(expected) - 1);
        assert_true(tag_hash(&tag, 9) == hash64(slice_of(expected, sizeof(expected) - 1), 9));
        assert_true(tag_hash(&tag, 9) != tag_hash(&tag, 10));
}

static void the_longest_parts_fit(void **state)
{
        uint8_t part[TAG_PART_MAX] = {1};
        uint8_t out[TAG_BINARY_MAX];
        struct slice all = slice_of(part, sizeof(part));
        struct tag tag = {TAG_STUDENT_TABLE, all, all, all};

        (void)state;
        assert_int_equal(tag_encode(&tag, out), TAG_BINARY_MAX);
}

/* Parts that would run together without their lengths. */
static void different_tags_have_different_bytes(void **state)
{
        const struct tag tags[] = {
                {TAG_STUDENT_TABLE, text(""), text("4"), text("2visits")},
                {TAG_STUDENT_TABLE, text(""), text("42"), text("visits")},
                {TAG_STUDENT_TABLE, text("4"), text("2"), text("visits")},
                {TAG_STUDENT, text(""), text("visits"), text("")},
                {TAG_TABLE, text(""), text(""), text("visits")},
                {TAG_TABLE, text("visits"), text(""), text("")},
                {TAG_ALL, text(""), text(""), text("")},
        };
        const size_t count = sizeof(tags) / sizeof(tags[0]);

        (void)state;
        for (size_t i = 0; i < count; i++) {
                for (size_t j = 0; j < i; j++)
                        assert_true(tag_hash(&tags[i], 1) != tag_hash(&tags[j], 1));
        }
}

static void a_tag_that_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
        struct buf out;
        struct tag tag;

        (void)state;
        buf_init(&out, 12);
        assert_ok(buf_append_str(&out, "x"));
        assert_ok(tag_parse(text("student:42/allergies"), SLICE_EMPTY, &tag, NULL));
        assert_err(ERR_LIMIT, tag_format(&tag, &out));
        assert_slice_is(buf_slice(&out), "x");
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_forms_are_read_and_written_back),
                cmocka_unit_test(malformed_text_is_refused_with_a_reason),
                cmocka_unit_test(the_binary_form_is_as_documented),
                cmocka_unit_test(the_longest_parts_fit),
                cmocka_unit_test(different_tags_have_different_bytes),
                cmocka_unit_test(a_tag_that_does_not_fit_leaves_the_buffer_as_it_was),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
