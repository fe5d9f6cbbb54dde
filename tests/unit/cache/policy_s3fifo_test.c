#include "cache/policy_s3fifo.h"
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

/* Shares are of weight: one large newcomer is the small queue's share by itself. */
static void shares_are_of_weight(void **state)
{
        (void)state;
        policy_case_open(&c, &policy_s3fifo, 100);
        for (uint32_t key = 1; key <= 9; key++) {
                c.weights[key] = 10;
                (void)policy_case_read(&c, key);
                (void)policy_case_read(&c, key);
                (void)policy_case_read(&c, key);
        }
        c.weights[10] = 10;
        (void)policy_case_read(&c, 10);
        assert_int_equal(policy_case_evict(&c, 0), 10); /* the nine have gone to main */
        for (uint32_t key = 11; key <= 15; key++)
                (void)policy_case_read(&c, key);
        assert_int_equal(policy_case_evict(&c, 0), 1); /* small newcomers are not a tenth yet: main gives room */
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
