#include "invalidation/token.h"

#include "tests/lib/test.h"

static void what_is_written_is_read_back(void **state)
{
        static const struct {
                struct token token;
                const char *text;
        } rows[] = {
                {{0xabc, 0}, "v1-0000000000000abc-0"},
                {{UINT64_MAX, 0x2f}, "v1-ffffffffffffffff-2f"},
                {{1, UINT64_MAX}, "v1-0000000000000001-ffffffffffffffff"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                char text[TOKEN_TEXT_SIZE];
                struct token back;

                assert_int_equal(token_format(&rows[i].token, text), strlen(rows[i].text));
                assert_string_equal(text, rows[i].text);
                assert_ok(token_parse(slice_str(text), &back, NULL));
                assert_true(back.epoch == rows[i].token.epoch && back.n == rows[i].token.n);
        }
}

static void any_other_form_is_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "v1",
                "v1-",
                "v2-0000000000000abc-1",
                "v1-abc-1",
                "v1-0000000000000abc",
                "v1-0000000000000abc-",
                "v1-0000000000000abc-01",
                "v1-0000000000000abc-1 ",
                "v1-0000000000000abc--1",
                "v1-0000000000000ABC-1",
                "v1-0000000000000abc-F",
                "v1-0000000000000abg-1",
                "v1-0000000000000abc-10000000000000000",
                " v1-0000000000000abc-1",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct token token = {5, 6};
                struct err_msg msg = {""};

                assert_err(ERR_BADTOKEN, token_parse(slice_str(bad[i]), &token, &msg));
                assert_true(token.epoch == 5 && token.n == 6);
                assert_true(strlen(msg.text) > 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read_back),
                cmocka_unit_test(any_other_form_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
