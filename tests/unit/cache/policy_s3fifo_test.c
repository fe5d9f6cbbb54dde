#include "cache/policy_s3fifo.h"
#include "tests/lib/key_list.h"
#include "tests/lib/policy_case.h"

enum { CAPACITY = 10 }; /* one of them is the share of the small queue */

static struct policy_case c;

static void who_was_used_twice_goes_on_to_main(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, CAPACITY);
        assert_reads(&c, "abcdefghij", "..........");
        assert_reads(&c, "aabccc", "++++++");
        assert_leaves_in_order(&c, "bdefghijac"); /* b was used once only; then main, where their uses begin anew */
        policy_case_close(&c);
}

/* The favourites are in main; what comes once passes through the small queue and leaves them there. */
static void a_scan_leaves_the_favourites(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, CAPACITY);
        assert_reads(&c, "abcdabcdabcd", "....++++++++");
        assert_reads(&c, "efghijklmnopqrstuvwxyz", "......................");
        assert_reads(&c, "abcd", "++++");
        policy_case_close(&c);
}

static void a_ghost_enters_main(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, CAPACITY);
        assert_reads(&c, "zyabcdefghij", "............"); /* z and y went; y is a ghost, as there was no memory for z */
        assert_int_equal(policy_case_evict(&c, 0), 1);
        assert_reads(&c, "yklmnopqrstuvwxy", "...............+");
        policy_case_close(&c);
}

/* Room is asked for on behalf of a ghost, and who goes for it would push it out of the ghosts. */
static void who_goes_for_a_ghost_does_not_make_it_forgotten(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, CAPACITY);
        for (uint32_t key = 1; key <= CAPACITY + 1 + 9;
                key++) /* nine ghosts there are: 2 to 10, of which 2 is the oldest */
                (void)policy_case_read(&c, key);
        (void)policy_case_read(&c, 2);
        for (uint32_t key = 100; key < 140; key++)
                (void)policy_case_read(&c, key);
        assert_true(policy_case_read(&c, 2));
        policy_case_close(&c);
}

static void main_gives_a_round_for_each_use_up_to_three(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, 0);
        assert_reads(&c, "abcaabbcc", "...++++++");
        assert_int_equal(c.policy->ops->victim(c.policy, 0), 1); /* all have gone to main, and count from nothing */
        assert_reads(&c, "aaaaabbc", "++++++++");
        assert_leaves_in_order(&c, "cba");
        policy_case_close(&c);
}

static void a_newer_state_keeps_queue_and_uses(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, CAPACITY);
        assert_reads(&c, "abcdefghijaa", "..........++");
        policy_case_replace(&c, 1, 26);
        assert_leaves_in_order(&c, "bcdefghijz");
        policy_case_close(&c);
}

/* Shares are of weight: one large newcomer is the small queue's share by itself, many tiny ones are not. */
static void shares_are_of_weight(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, 1000);
        for (uint32_t key = 1; key <= 90; key++) {
                c.weights[key] = 10;
                for (int i = 0; i < 3; i++)
                        (void)policy_case_read(&c, key);
        }
        c.weights[100] = 100;
        (void)policy_case_read(&c, 100);
        assert_int_equal(policy_case_evict(&c, 0), 100); /* the ninety have gone to main */
        for (uint32_t key = 101; key <= 120; key++)
                (void)policy_case_read(&c, key);
        assert_int_equal(policy_case_evict(&c, 0), 1);
        policy_case_close(&c);
}

/* ---- against lists ---- */

enum { PLAIN_CAPACITY = 30 };

struct plain {
        struct key_list small;
        struct key_list main;
        struct key_list ghosts;
        unsigned uses[KEY_LIST_MAX];
};

static void plain_evict_from_small(struct plain *p)
{
        uint32_t key = key_list_take(&p->small, 0);

        if (p->uses[key] >= 2) {
                p->uses[key] = 0;
                key_list_append(&p->main, key);
                return;
        }
        key_list_append(&p->ghosts, key);
}

static void plain_evict_from_main(struct plain *p)
{
        uint32_t key = key_list_take(&p->main, 0);

        if (p->uses[key] > 0) {
                p->uses[key]--;
                key_list_append(&p->main, key);
        }
}

static bool plain_read(void *context, uint32_t key)
{
        struct plain *p = context;
        bool ghost;

        if (key_list_has(&p->small, key) || key_list_has(&p->main, key)) {
                p->uses[key] += p->uses[key] < 3;
                return true;
        }
        ghost = key_list_remove(&p->ghosts, key);
        while (p->small.count + p->main.count == PLAIN_CAPACITY)
                if (p->small.count >= PLAIN_CAPACITY / 10)
                        plain_evict_from_small(p);
                else
                        plain_evict_from_main(p);
        while (p->ghosts.count > PLAIN_CAPACITY * 9 / 10)
                (void)key_list_take(&p->ghosts, 0);
        key_list_append(ghost ? &p->main : &p->small, key);
        p->uses[key] = 0;
        return false;
}

/* Reads only: when keys are removed, the policy has fewer ghosts for a while, as it goes by what is there. And one is
 * evicted first, so that there is memory for ghosts from the start. */
static void hits_what_plain_lists_hit(void **state)
{
        struct plain plain = {.uses = {0}};

        (void)state;
        policy_case_open(&c, &policy_s3fifo, PLAIN_CAPACITY);
        policy_case_add(&c, KEY_LIST_MAX);
        assert_int_equal(policy_case_evict(&c, 0), KEY_LIST_MAX);
        assert_reads_as(&c, &(struct policy_reference){plain_read, NULL, &plain});
        policy_case_close(&c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_was_used_twice_goes_on_to_main),
                cmocka_unit_test(a_scan_leaves_the_favourites),
                cmocka_unit_test(a_ghost_enters_main),
                cmocka_unit_test(who_goes_for_a_ghost_does_not_make_it_forgotten),
                cmocka_unit_test(main_gives_a_round_for_each_use_up_to_three),
                cmocka_unit_test(a_newer_state_keeps_queue_and_uses),
                cmocka_unit_test(shares_are_of_weight),
                cmocka_unit_test(hits_what_plain_lists_hit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
