#include "cache/policy_lru.h"
#include "tests/lib/key_list.h"
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

/* ---- against a list ---- */

enum { CAPACITY = 60 };

static bool plain_read(void *context, uint32_t key)
{
        struct key_list *list = context;
        bool hit = key_list_remove(list, key);

        if (!hit && list->count == CAPACITY)
                (void)key_list_take(list, 0);
        key_list_append(list, key);
        return hit;
}

static void plain_remove(void *context, uint32_t key)
{
        assert_true(key_list_remove(context, key));
}

static void hits_what_a_plain_list_hits(void **state)
{
        struct key_list list = {.count = 0};

        (void)state;
        policy_case_open(&c, &policy_lru, CAPACITY);
        assert_reads_as(&c, &(struct policy_reference){plain_read, plain_remove, &list});
        policy_case_close(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_not_used_leaves_in_order_of_arrival),
                cmocka_unit_test(use_postpones),
                cmocka_unit_test(a_cycle_longer_than_the_cache_hits_nothing),
                cmocka_unit_test(a_newer_state_keeps_the_place),
                cmocka_unit_test(hits_what_a_plain_list_hits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
