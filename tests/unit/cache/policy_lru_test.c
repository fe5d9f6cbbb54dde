#include "cache/policy_lru.h"
#include "tests/lib/policy_case.h"

static struct policy_case c;

static void what_was_not_used_leaves_in_order_of_arrival(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_lru, 4);
        assert_reads(&c, "abcd", "....");
        assert_leaves_in_order(&c, "abcd");
        policy_case_close(&c);
}

static void use_postpones(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_lru, 4);
        assert_reads(&c, "abcdcaa", "....+++");
        assert_walk(&c, "bdca");
        assert_leaves_in_order(&c, "bdca");
        policy_case_close(&c);
}

static void a_cycle_longer_than_the_cache_hits_nothing(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_lru, 3);
        assert_reads(&c, "abcdabcdabcd", "............");
        policy_case_close(&c);
}

static void a_newer_state_keeps_the_place(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_lru, 0);
        assert_reads(&c, "abc", "...");
        policy_case_replace(&c, 1, 4);
        policy_case_replace(&c, 2, 5);
        policy_case_replace(&c, 3, 6);
        assert_walk(&c, "def");
        policy_case_close(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_not_used_leaves_in_order_of_arrival),
                cmocka_unit_test(use_postpones),
                cmocka_unit_test(a_cycle_longer_than_the_cache_hits_nothing),
                cmocka_unit_test(a_newer_state_keeps_the_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
