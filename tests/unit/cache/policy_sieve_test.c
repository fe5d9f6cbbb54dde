#include "cache/policy_sieve.h"
#include "tests/lib/key_list.h"
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

/* ---- against a list ---- */

enum { CAPACITY = 60 };

struct plain {
        struct key_list list;
        bool used[KEY_LIST_MAX];
        size_t hand; /* a place in the list */
};

static void plain_evict(struct plain *p)
{
        for (;; p->hand++) {
                if (p->hand >= p->list.count)
                        p->hand = 0;
                if (!p->used[p->list.keys[p->hand]])
                        break;
                p->used[p->list.keys[p->hand]] = false;
        }
        (void)key_list_take(&p->list, p->hand);
        if (p->hand == p->list.count)
                p->hand = 0;
}

static bool plain_read(void *context, uint32_t key)
{
        struct plain *p = context;

        if (key_list_has(&p->list, key))
                return p->used[key] = true;
        if (p->list.count == CAPACITY)
                plain_evict(p);
        key_list_append(&p->list, key);
        return p->used[key] = false;
}

static void plain_remove(void *context, uint32_t key)
{
        struct plain *p = context;
        size_t at = key_list_find(&p->list, key);

        (void)key_list_take(&p->list, at);
        if (at < p->hand)
                p->hand--;
        if (p->hand == p->list.count)
                p->hand = 0;
}

static void hits_what_a_plain_list_hits(void **state)
{
        struct plain plain = {.hand = 0};

        (void)state;
        policy_case_open(&c, &policy_sieve, CAPACITY);
        assert_reads_as(&c, &(struct policy_reference){plain_read, plain_remove, &plain});
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
                cmocka_unit_test(hits_what_a_plain_list_hits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
