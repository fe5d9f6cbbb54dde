#include "cache/policy_sieve.h"
#include "tests/lib/policy_case.h"

static struct policy_case c;

static void without_uses_it_is_a_queue(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_sieve, 3);
        assert_reads(&c, "abcdef", "......");
        assert_leaves_in_order(&c, "def");
        policy_case_close(&c);
}

/* Step by step, the oldest on the left, ' for the bit and ^ for the hand, where it is not at the oldest:
 *   a b c    a' b c
 *   d        a ^c d        a is passed, b goes
 *   e        a ^d e        c goes
 *   a        a' ^d e
 *   f        a' ^e f       d goes
 *   e        a' ^e' f
 *   g        a' e g        e is passed, f goes: it was the newest, so the hand begins again at the oldest
 *   h        a ^g h        a is passed, e goes */
static void the_hand_stays_where_it_took_one(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_sieve, 3);
        assert_reads(&c, "abcadeafegh", "...+..+.+..");
        assert_walk(&c, "gha");
        assert_leaves_in_order(&c, "gha");
        policy_case_close(&c);
}

static void a_scan_leaves_what_was_used(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_sieve, 4);
        assert_reads(&c, "ababcdefghijkab", "..++.........++");
        policy_case_close(&c);
}

static void the_hand_moves_on_when_its_place_goes(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_sieve, 4);
        assert_reads(&c, "abcdae", "....+."); /* a was passed, b went: the hand is at c */
        policy_case_remove(&c, 3);
        assert_walk(&c, "dea");
        policy_case_replace(&c, 4, 6); /* d has a newer state, and the hand is at it */
        assert_walk(&c, "fea");
        assert_leaves_in_order(&c, "fea");
        policy_case_close(&c);
}

static void all_used_is_as_none_used(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_sieve, 3);
        assert_reads(&c, "abcabc", "...+++");
        assert_leaves_in_order(&c, "abc");
        policy_case_close(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_uses_it_is_a_queue),
                cmocka_unit_test(the_hand_stays_where_it_took_one),
                cmocka_unit_test(a_scan_leaves_what_was_used),
                cmocka_unit_test(the_hand_moves_on_when_its_place_goes),
                cmocka_unit_test(all_used_is_as_none_used),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
