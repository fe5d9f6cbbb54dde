#include "cache/sampled_keys.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { CAPACITY = 100 };

static struct sampled_keys keys;

static int set_up(void **state)
{
        (void)state;
        assert_ok(sampled_keys_init(&keys, CAPACITY));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        sampled_keys_deinit(&keys);
        return 0;
}

/* Held, as by a shadow. */
static place_ref add(uint32_t hash)
{
        place_ref ref = sampled_keys_add(&keys, hash);

        if (ref != 0)
                sampled_key_at(&keys, ref)->holders = 1;
        return ref;
}

static void drop(place_ref ref)
{
        sampled_key_at(&keys, ref)->holders = 0;
        sampled_keys_loosen(&keys, ref);
}

static void finds_what_was_added_until_it_is_full(void **state)
{
        place_ref refs[CAPACITY];

        (void)state;
        for (uint32_t i = 0; i < CAPACITY; i++) {
                assert_int_equal(sampled_keys_find(&keys, i * 77), 0);
                refs[i] = add(i * 77);
                assert_int_not_equal(refs[i], 0);
        }
        assert_int_equal(add(1), 0);
        assert_int_equal(keys.count, CAPACITY);
        for (uint32_t i = 0; i < CAPACITY; i++)
                assert_int_equal(sampled_keys_find(&keys, i * 77), refs[i]);
        for (uint32_t i = 0; i < CAPACITY; i += 2)
                drop(refs[i]);
        for (uint32_t i = 0; i < CAPACITY; i++)
                assert_int_equal(sampled_keys_find(&keys, i * 77), i % 2 == 0 ? 0 : refs[i]);
        assert_int_not_equal(add(1), 0);
        assert_int_equal(keys.count, CAPACITY / 2 + 1);
}

static void a_new_key_is_missed_by_all_and_held_by_none(void **state)
{
        const struct sampled_key *key = sampled_key_at(&keys, sampled_keys_add(&keys, 5));

        (void)state;
        assert_int_equal(key->hash, 5);
        assert_int_equal(key->missed, IMAGINED_ALL);
        assert_false(sampled_key_is_held(key));
        for (place_ref ref = 1; ref <= CAPACITY; ref++)
                assert_false(sampled_key_is_held(sampled_key_at(&keys, ref)));
}

static void what_is_held_or_pinned_stays(void **state)
{
        place_ref ref = add(5);

        (void)state;
        sampled_keys_loosen(&keys, ref);
        assert_int_equal(sampled_keys_find(&keys, 5), ref);
        sampled_keys_pin(&keys, ref);
        drop(ref);
        assert_int_equal(sampled_keys_find(&keys, 5), ref);
        sampled_keys_unpin(&keys);
        assert_int_equal(sampled_keys_find(&keys, 5), 0);

        ref = sampled_keys_add(&keys, 6);
        sampled_key_at(&keys, ref)->zone = 3;
        sampled_keys_loosen(&keys, ref);
        assert_int_equal(sampled_keys_find(&keys, 6), ref);
}

static void a_renewed_key_is_found_in_its_new_place(void **state)
{
        place_ref old = add(5);
        place_ref fresh;

        (void)state;
        sampled_key_at(&keys, old)->weight = 700;
        sampled_keys_pin(&keys, old);
        fresh = sampled_keys_renew(&keys, old);
        assert_int_not_equal(fresh, old);
        assert_int_equal(sampled_keys_find(&keys, 5), fresh);
        assert_int_equal(sampled_key_at(&keys, fresh)->weight, 700);
        sampled_keys_discard(&keys, old);
        assert_int_equal(keys.count, 1);
        drop(fresh); /* the pin has gone over to it */
        assert_int_equal(sampled_keys_find(&keys, 5), fresh);
        sampled_keys_unpin(&keys);
        assert_int_equal(keys.count, 0);
        for (uint32_t i = 0; i < CAPACITY; i++)
                assert_int_not_equal(add(i), 0);
        assert_int_equal(sampled_keys_renew(&keys, sampled_keys_find(&keys, 7)), 0);
}

static enum err make(void *context)
{
        struct sampled_keys k;
        enum err rc = sampled_keys_init(&k, CAPACITY);

        (void)context;
        if (rc == OK)
                sampled_keys_deinit(&k);
        return rc;
}

static void survives_failed_allocations(void **state)
{
        (void)state;
        each_allocation_fails(make, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(finds_what_was_added_until_it_is_full, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_new_key_is_missed_by_all_and_held_by_none, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_held_or_pinned_stays, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_renewed_key_is_found_in_its_new_place, set_up, tear_down),
                cmocka_unit_test(survives_failed_allocations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
