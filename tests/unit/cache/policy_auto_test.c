#include "cache/policy_auto.h"
#include "tests/lib/test.h"

static struct policy_auto a;

static int forget_all(void **state)
{
        (void)state;
        a = (struct policy_auto){.choice = 0};
        return 0;
}

/* `lookups` more, of which policy p misses missed[p] in a hundred. */
static void see(int lookups, const int missed[WHATIF_POLICIES])
{
        for (int i = 0; i < lookups; i++) {
                uint32_t mask = 0;

                for (unsigned p = 0; p < WHATIF_POLICIES; p++)
                        mask |= i * 37 % 100 < missed[p] ? 1u << p : 0;
                policy_auto_note(&a, mask, 100);
        }
}

static void begins_with_the_first_and_moves_to_the_best(void **state)
{
        const int missed[] = {50, 45, 40, 49};

        (void)state;
        see(31, missed);
        assert_int_equal(a.choice, 0);
        see(3000, missed);
        assert_int_equal(a.choice, 2);
}

static void stays_where_others_are_hardly_better(void **state)
{
        const int second_is_better[] = {50, 40, 50, 50};
        const int even[] = {50, 50, 50, 50};
        const int first_is_better_by_a_little[] = {500, 503, 900, 900}; /* of a thousand */

        (void)state;
        see(3000, even);
        assert_int_equal(a.choice, 0);
        see(3000, second_is_better);
        assert_int_equal(a.choice, 1);
        for (int i = 0; i < 100000; i++)
                policy_auto_note(&a,
                        (i * 371 % 1000 < first_is_better_by_a_little[0] ? 1u : 0) |
                                (i * 371 % 1000 < first_is_better_by_a_little[1] ? 2u : 0) | 12,
                        100);
        assert_int_equal(a.choice, 1);
}

static void changes_again_when_the_load_does(void **state)
{
        const int first[] = {50, 90, 60, 50};
        const int last[] = {90, 90, 90, 50};

        (void)state;
        see(100000, first);
        assert_int_equal(a.choice, 0);
        see(20000, last);
        assert_int_equal(a.choice, 3);
        see(20000, first);
        assert_int_equal(a.choice, 3); /* as good as the first */
}

/* One that all agree on tells nothing, however often it happens. */
static void needs_more_than_a_few_lookups(void **state)
{
        (void)state;
        for (int i = 0; i < 64; i++)
                policy_auto_note(&a, 15, 1000000);
        assert_int_equal(a.choice, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(begins_with_the_first_and_moves_to_the_best, forget_all),
                cmocka_unit_test_setup(stays_where_others_are_hardly_better, forget_all),
                cmocka_unit_test_setup(changes_again_when_the_load_does, forget_all),
                cmocka_unit_test_setup(needs_more_than_a_few_lookups, forget_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
