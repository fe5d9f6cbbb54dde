#include "cache/policy_wtinylfu.h"
#include "tests/lib/policy_case.h"

static struct policy_case c;

/* A small cache has a window of one, and the main part behind it. */
static void a_newcomer_must_be_asked_for_more_often(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 4);
        assert_reads(&c, "abcabcd", "...+++.");
        assert_reads(&c, "efgh", "...."); /* each goes for the next: it came once, they came twice */
        assert_reads(&c, "abch", "++++");
        policy_case_close(&c);
}

static void one_that_is_asked_for_often_gets_in(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 4);
        assert_reads(&c, "abcabcd", "...+++.");
        assert_reads(&c, "eeeef", ".+++."); /* e leaves the window for f, with four uses against two */
        assert_reads(&c, "ef", "++");
        policy_case_close(&c);
}

/* The sketch remembers those that went: at its third coming a key beats one that came twice. */
static void a_rejected_key_is_remembered(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 4);
        assert_reads(&c, "abcabcd", "...+++.");
        assert_reads(&c, "efefeg", "......");
        assert_reads(&c, "eg", "++");
        policy_case_close(&c);
}

static void use_in_probation_protects(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 6);
        assert_reads(&c, "abcdef", "......"); /* f in the window, a to e in probation */
        assert_reads(&c, "ab", "++");
        assert_walk(&c, "cdefab");
        policy_case_close(&c);
}

static void the_protected_fall_back(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 6);
        assert_reads(&c, "abcdefabcde", "......+++++"); /* four of five may be protected: a falls back */
        assert_walk(&c, "afbcde");
        policy_case_close(&c);
}

static void a_newer_state_keeps_its_segment(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 6);
        assert_reads(&c, "abcdefab", "......++");
        policy_case_replace(&c, 1, 26);
        policy_case_replace(&c, 3, 25);
        policy_case_replace(&c, 6, 24);
        assert_walk(&c, "ydexzb");
        policy_case_close(&c);
}

/* Bounds are lowered, and raised again: the window does not take what the main part should have. */
static void the_window_keeps_its_share_when_the_bounds_change(void **state)
{
        uint32_t window = 0;

        (void)state;
        policy_case_open(&c, &policy_wtinylfu, 2000);
        for (uint32_t key = 1; key <= 2000; key++)
                (void)policy_case_read(&c, key);
        while (c.weight > 200)
                (void)policy_case_evict(&c, 0);
        c.capacity = 200;
        for (uint32_t key = 2001; key <= 2100; key++)
                (void)policy_case_read(&c, key);
        c.capacity = 1000;
        for (uint32_t key = 2101; key <= 3000; key++)
                (void)policy_case_read(&c, key);
        for (uint32_t key = 3001; key <= 3020; key++) { /* only who is in the window goes without being contested */
                (void)policy_case_read(&c, key);
                (void)policy_case_read(&c, key);
        }
        for (uint32_t key = 2101; key <= 3020; key++)
                window += c.present[key] && c.array[key].state == c.array[3020].state;
        assert_in_range(window, 5, 20);
        policy_case_close(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_newcomer_must_be_asked_for_more_often),
                cmocka_unit_test(one_that_is_asked_for_often_gets_in),
                cmocka_unit_test(a_rejected_key_is_remembered),
                cmocka_unit_test(use_in_probation_protects),
                cmocka_unit_test(the_protected_fall_back),
                cmocka_unit_test(a_newer_state_keeps_its_segment),
                cmocka_unit_test(the_window_keeps_its_share_when_the_bounds_change),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
