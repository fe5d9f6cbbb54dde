#include "database/reject.h"
#include "tests/lib/test.h"

static void words_are_distinct_and_read_back(void **state)
{
        (void)state;
        for (int i = 0; i < REJECT_REASON_COUNT; i++) {
                enum reject_reason reason;

                assert_true(reject_text((enum reject_reason)i)[0] != '\0');
                assert_true(reject_reason_of(slice_str(reject_word((enum reject_reason)i)), &reason));
                assert_int_equal(reason, i);
        }
}

static void an_unknown_word_is_none(void **state)
{
        enum reject_reason reason;

        (void)state;
        assert_false(reject_reason_of(slice_str("dates"), &reason));
        assert_false(reject_reason_of(SLICE_EMPTY, &reason));
}

static void a_long_field_is_cut_and_compared_as_cut(void **state)
{
        char name[REJECT_FIELD_SIZE * 2];
        struct reject a;
        struct reject whole = reject_of(REJECT_DATE, NULL);

        (void)state;
        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        a = reject_of(REJECT_DATE, name);
        assert_int_equal(strlen(a.field), REJECT_FIELD_SIZE - 1);
        assert_true(reject_equal(&a, &a));
        assert_false(reject_equal(&a, &whole));
        assert_string_equal(whole.field, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_are_distinct_and_read_back),
                cmocka_unit_test(an_unknown_word_is_none),
                cmocka_unit_test(a_long_field_is_cut_and_compared_as_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
