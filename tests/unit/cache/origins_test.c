#include "cache/origins.h"
#include "tests/lib/test.h"

static uint16_t take(struct origins *o, uint64_t epoch, uint64_t def)
{
        uint16_t number;

        assert_ok(origins_take(o, (struct origin){epoch, def}, &number));
        assert_int_equal(origins_at(o, number).epoch, epoch);
        assert_int_equal(origins_at(o, number).def, def);
        return number;
}

static void equal_pairs_have_one_number(void **state)
{
        struct origins *o;
        uint16_t first;

        (void)state;
        assert_ok(origins_create(&o));
        first = take(o, 1, 2);
        assert_int_equal(take(o, 1, 2), first);
        assert_int_not_equal(take(o, 2, 1), first);
        assert_int_not_equal(take(o, 1, 1), first);
        origins_drop(o, first);
        assert_int_equal(take(o, 1, 2), first); /* one user is left */
        origins_destroy(&o);
        assert_null(o);
        origins_destroy(&o);
}

static void a_number_is_used_again_when_nobody_has_it(void **state)
{
        struct origins *o;
        uint16_t numbers[ORIGINS_MAX];
        uint16_t one_more;

        (void)state;
        assert_ok(origins_create(&o));
        for (uint16_t i = 0; i < ORIGINS_MAX; i++)
                numbers[i] = take(o, i, 7);
        assert_err(ERR_LIMIT, origins_take(o, (struct origin){5000, 7}, &one_more));
        assert_int_equal(take(o, 9, 7), numbers[9]); /* what is known has room still */
        origins_drop(o, numbers[3]);
        assert_int_equal(take(o, 5000, 7), numbers[3]);
        assert_err(ERR_LIMIT, origins_take(o, (struct origin){3, 7}, &one_more)); /* it has lost its own */
        origins_destroy(&o);
}

static enum err create(void *context)
{
        struct origins *o;
        enum err rc = origins_create(&o);

        (void)context;
        origins_destroy(&o);
        return rc;
}

static void creation_survives_a_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_pairs_have_one_number),
                cmocka_unit_test(a_number_is_used_again_when_nobody_has_it),
                cmocka_unit_test(creation_survives_a_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
