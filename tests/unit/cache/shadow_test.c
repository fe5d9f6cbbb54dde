#include "cache/shadow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { CAPACITY = 1000, NUMBER = 2 };

static struct sampled_keys keys;
static struct shadow shadow;

static int set_up(void **state)
{
        (void)state;
        assert_ok(sampled_keys_init(&keys, CAPACITY));
        assert_ok(shadow_init(&shadow, policy_find("lru"), &keys, NUMBER));
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        shadow_deinit(&shadow);
        sampled_keys_deinit(&keys);
        return 0;
}

static bool has(uint32_t name)
{
        place_ref ref = sampled_keys_find(&keys, name);

        return ref != 0 && shadow_has(&shadow, ref);
}

static void put(uint32_t name, uint32_t weight)
{
        place_ref ref = sampled_keys_add(&keys, name);

        assert_int_not_equal(ref, 0);
        sampled_key_at(&keys, ref)->weight = weight;
        sampled_keys_pin(&keys, ref);
        shadow_put(&shadow, ref);
        sampled_keys_unpin(&keys);
}

static void replace(uint32_t name, uint32_t weight)
{
        place_ref from = sampled_keys_find(&keys, name);
        place_ref to = sampled_keys_renew(&keys, from);

        sampled_key_at(&keys, to)->weight = weight;
        shadow_replace(&shadow, from, to);
        sampled_keys_discard(&keys, from);
}

static void keeps_to_its_count(void **state)
{
        (void)state;
        put(1, 10);
        assert_false(has(1)); /* there is room for nothing yet */
        shadow_limit(&shadow, 2, UINT64_MAX);
        put(2, 10);
        put(3, 10);
        shadow_use(&shadow, sampled_keys_find(&keys, 2));
        put(4, 10);
        assert_true(has(2));
        assert_false(has(3));
        assert_true(has(4));
        assert_int_equal(keys.count, 2); /* who is held by nobody is forgotten */
        assert_int_equal(shadow.count, 2);
}

static void keeps_to_its_bytes(void **state)
{
        (void)state;
        shadow_limit(&shadow, UINT64_MAX, 100);
        put(1, 50);
        put(2, 50);
        put(3, 101);
        assert_false(has(3)); /* too heavy, and nobody goes for it */
        assert_true(has(1));
        put(4, 60);
        assert_false(has(1));
        assert_false(has(2));
        assert_int_equal(shadow.bytes, 60);
        replace(4, 99);
        put(5, 1);
        assert_true(has(4));
        replace(5, 2);
        assert_false(has(4));
        assert_true(has(5));
        shadow_limit(&shadow, UINT64_MAX, 1);
        assert_int_equal(shadow.count, 0);
        assert_int_equal(shadow.bytes, 0);
        assert_int_equal(keys.count, 0);
}

static void a_key_that_is_taken_leaves_no_ghost(void **state)
{
        place_ref ref;

        (void)state;
        shadow_limit(&shadow, 10, UINT64_MAX);
        put(1, 7);
        ref = sampled_keys_find(&keys, 1);
        shadow_take(&shadow, ref);
        assert_false(shadow_has(&shadow, ref));
        assert_int_equal(shadow.count, 0);
        assert_int_equal(sampled_keys_find(&keys, 1), ref); /* its table is not told */
}

/* Sampled hashes are all below a threshold; the policies must not see that. */
static void policies_see_hashes_that_are_spread(void **state)
{
        uint32_t seen = 0;

        (void)state;
        shadow_limit(&shadow, CAPACITY, UINT64_MAX);
        for (uint32_t name = 0; name < 64; name++) {
                put(name, 1);
                seen |= 1u << (place_at(&shadow.places, sampled_keys_find(&keys, name))->hash >> 27);
        }
        assert_in_range(__builtin_popcount(seen), 20, 32);
}

static enum err make(void *context)
{
        struct sampled_keys *k = context;
        struct shadow s;
        enum err rc = shadow_init(&s, policy_find("wtinylfu"), k, 0);

        if (rc == OK)
                shadow_deinit(&s);
        return rc;
}

static void survives_failed_allocations(void **state)
{
        (void)state;
        each_allocation_fails(make, &keys);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(keeps_to_its_count, set_up, tear_down),
                cmocka_unit_test_setup_teardown(keeps_to_its_bytes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_key_that_is_taken_leaves_no_ghost, set_up, tear_down),
                cmocka_unit_test_setup_teardown(policies_see_hashes_that_are_spread, set_up, tear_down),
                cmocka_unit_test_setup_teardown(survives_failed_allocations, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
