#include "base/err.h"
#include "tests/lib/test.h"

#include <errno.h>
#include <stdio.h>

static void sets_wraps_and_returns_the_code(void **state)
{
        struct err_msg msg;

        (void)state;
        assert_err(ERR_BADKEY, err_set(&msg, ERR_BADKEY, "id %d is too long", 7));
        assert_string_equal(msg.text, "id 7 is too long");
        assert_err(ERR_CONFIG, err_wrap(&msg, ERR_CONFIG, "file %s", "a.yaml"));
        assert_string_equal(msg.text, "file a.yaml: id 7 is too long");
        assert_err(ERR_IO, err_errno(&msg, ERR_IO, ENOENT, "cannot open %s", "x"));
        assert_string_equal(msg.text, "cannot open x: No such file or directory");
}

static void nobody_need_ask(void **state)
{
        (void)state;
        assert_err(ERR_BUSY, err_set(NULL, ERR_BUSY, "x"));
        assert_err(ERR_BUSY, err_wrap(NULL, ERR_BUSY, "x"));
        assert_err(ERR_BUSY, err_errno(NULL, ERR_BUSY, EIO, "x"));
}

static void long_messages_are_cut_and_terminated(void **state)
{
        struct err_msg msg;
        char long_text[2 * ERR_MSG_SIZE];

        (void)state;
        memset(long_text, 'a', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = '\0';
        (void)err_set(&msg, ERR_IO, "%s", long_text);
        assert_int_equal(strlen(msg.text), ERR_MSG_SIZE - 1);
        (void)err_wrap(&msg, ERR_IO, "where");
        assert_int_equal(strlen(msg.text), ERR_MSG_SIZE - 1);
        assert_memory_equal(msg.text, "where: aaa", 10);
        (void)err_wrap(&msg, ERR_IO, "%s", long_text);
        assert_int_equal(strlen(msg.text), ERR_MSG_SIZE - 1);
}

static void every_code_has_a_word_in_capitals_and_a_text(void **state)
{
        (void)state;
        for (int code = OK; code < ERR_COUNT_; code++) {
                const char *word = err_word((enum err)code);

                assert_true(strlen(word) >= 2);
                assert_int_equal(strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), strlen(word));
                assert_true(strlen(err_text((enum err)code)) > 5);
                assert_true(strlen(err_name((enum err)code)) > 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sets_wraps_and_returns_the_code),
                cmocka_unit_test(nobody_need_ask),
                cmocka_unit_test(long_messages_are_cut_and_terminated),
                cmocka_unit_test(every_code_has_a_word_in_capitals_and_a_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
