#include "invalidation/fill_rule.h"

#include "tests/lib/test.h"

static const struct nanos early = {100};
static const struct nanos late = {200};

static void a_fill_sent_after_the_invocation_answers(void **state)
{
        const struct fill_origin fill = {.sent = late, .primary = true};

        (void)state;
        assert_int_equal(fill_rule_fit(&fill, early), FILL_ANSWERS);
        assert_int_equal(fill_rule_fit(&fill, late), FILL_ANSWERS);
}

static void a_fill_not_sent_yet_answers(void **state)
{
        const struct fill_origin fill = {.sent = NANOS_NEVER, .primary = true};

        (void)state;
        assert_int_equal(fill_rule_fit(&fill, late), FILL_ANSWERS);
}

static void a_fill_sent_before_the_invocation_is_checked(void **state)
{
        const struct fill_origin fill = {.sent = early, .primary = true};

        (void)state;
        assert_int_equal(fill_rule_fit(&fill, late), FILL_ANSWERS_IF_FRESH);
}

static void a_replicas_fill_is_always_checked(void **state)
{
        const struct fill_origin fill = {.sent = late, .primary = false};

        (void)state;
        assert_int_equal(fill_rule_fit(&fill, early), FILL_ANSWERS_IF_FRESH);
}

static void only_a_strict_read_of_a_polled_source_cannot_wait_for_a_checked_fill(void **state)
{
        (void)state;
        assert_false(fill_rule_may_join(FILL_ANSWERS_IF_FRESH, NANOS_ZERO, false));
        assert_true(fill_rule_may_join(FILL_ANSWERS_IF_FRESH, NANOS_ZERO, true));
        assert_true(fill_rule_may_join(FILL_ANSWERS_IF_FRESH, nanos_ms(1), false));
        assert_true(fill_rule_may_join(FILL_ANSWERS, NANOS_ZERO, false));
}

static void errors_and_reads_of_unknown_position_are_not_stored(void **state)
{
        (void)state;
        assert_true(fill_rule_may_store(OK, (struct position){1}));
        assert_false(fill_rule_may_store(OK, POSITION_NONE));
        assert_false(fill_rule_may_store(ERR_UNAVAILABLE, (struct position){1}));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_fill_sent_after_the_invocation_answers),
                cmocka_unit_test(a_fill_not_sent_yet_answers),
                cmocka_unit_test(a_fill_sent_before_the_invocation_is_checked),
                cmocka_unit_test(a_replicas_fill_is_always_checked),
                cmocka_unit_test(only_a_strict_read_of_a_polled_source_cannot_wait_for_a_checked_fill),
                cmocka_unit_test(errors_and_reads_of_unknown_position_are_not_stored),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
