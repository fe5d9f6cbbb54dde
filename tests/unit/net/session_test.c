#include "net/session.h"

#include "tests/lib/test.h"

static void names_are_visible_ascii_without_blanks(void **state)
{
        struct session s;
        struct err_msg msg;
        char long_name[SESSION_WORD_MAX + 1];

        (void)state;
        session_init(&s, 7);
        assert_ok(session_set_word(s.name, slice_str("nurse-1"), &msg));
        assert_string_equal(s.name, "nurse-1");
        assert_err(ERR_BADARG, session_set_word(s.name, slice_str("two words"), &msg));
        assert_err(ERR_BADARG, session_set_word(s.name, slice_str("line\nend"), &msg));
        assert_err(ERR_BADARG, session_set_word(s.name, slice_str("caf\xc3\xa9"), &msg));
        memset(long_name, 'x', sizeof(long_name));
        assert_err(ERR_BADARG, session_set_word(s.name, slice_of(long_name, SESSION_WORD_MAX), &msg));
        assert_string_equal(s.name, "nurse-1");
        assert_ok(session_set_word(s.name, slice_of(long_name, SESSION_WORD_MAX - 1), &msg));
        assert_ok(session_set_word(s.name, SLICE_EMPTY, &msg));
        assert_string_equal(s.name, "");
}

static void reset_forgets_all_but_who_is_connected(void **state)
{
        struct session s;
        struct err_msg msg;

        (void)state;
        session_init(&s, 7);
        assert_ok(session_set_word(s.actor, slice_str("dr-who"), &msg));
        s.proto = 3;
        s.format = FORMAT_MSGPACK;
        session_reset(&s);
        assert_int_equal(s.id, 7);
        assert_int_equal(s.proto, 2);
        assert_int_equal(s.format, FORMAT_JSON);
        assert_string_equal(s.actor, "");
}

static void there_is_one_user(void **state)
{
        struct session s;
        struct err_msg msg;

        (void)state;
        session_init(&s, 1);
        assert_ok(session_authenticate(&s, slice_str("default"), slice_str("any"), &msg));
        assert_err(ERR_NOAUTH, session_authenticate(&s, slice_str("root"), slice_str("any"), &msg));
        assert_string_equal(s.identity, "default");
}

static void permission_is_by_type(void **state)
{
        const struct record_type third = {.index = 3};
        const struct record_type last = {.index = 63};
        struct session s;

        (void)state;
        session_init(&s, 1);
        assert_true(session_permits(&s, &last));
        s.permitted = UINT64_C(1) << 3;
        assert_true(session_permits(&s, &third));
        assert_false(session_permits(&s, &last));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_visible_ascii_without_blanks),
                cmocka_unit_test(reset_forgets_all_but_who_is_connected),
                cmocka_unit_test(there_is_one_user),
                cmocka_unit_test(permission_is_by_type),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
