#include "cache/reuse.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/key_list.h"
#include "tests/lib/test.h"

enum { CAPACITY = 400, NAMES = 300 };

static struct sampled_keys keys;
static struct reuse reuse;

static int set_up(void **state)
{
        (void)state;
        assert_ok(sampled_keys_init(&keys, CAPACITY));
        reuse_init(&reuse, &keys);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        sampled_keys_deinit(&keys);
        return 0;
}

static void limit_to(uint64_t count, uint64_t bytes)
{
        struct reuse_limit limits[IMAGINED_SIZES];

        for (unsigned z = 0; z < IMAGINED_SIZES; z++)
                limits[z] = (struct reuse_limit){
                        count == UINT64_MAX ? count : count << z, bytes == UINT64_MAX ? bytes : bytes << z};
        reuse_limit(&reuse, limits);
}

/* The zone that the key was in, and puts it in front. A key has the weight that its name says. */
static unsigned access_key(uint32_t name, uint32_t weight)
{
        place_ref ref = sampled_keys_find(&keys, name);
        unsigned zone;

        if (ref == 0) {
                ref = sampled_keys_add(&keys, name);
                assert_int_not_equal(ref, 0);
                sampled_key_at(&keys, ref)->weight = weight;
        }
        zone = sampled_key_at(&keys, ref)->zone;
        sampled_keys_pin(&keys, ref);
        if (zone == IMAGINED_SIZES)
                reuse_push(&reuse, ref);
        else
                reuse_touch(&reuse, ref);
        sampled_keys_unpin(&keys);
        return zone;
}

/* ---- beside LRU caches written as plainly as can be ---- */

struct plain {
        struct key_list list;
        uint64_t bytes;
        uint64_t max_count;
        uint64_t max_bytes;
};

static uint32_t weight_of(uint32_t name, bool weighted)
{
        return weighted ? 1 + name * name % 97 : 1;
}

static bool plain_access(struct plain *p, uint32_t name, bool weighted)
{
        bool hit = key_list_remove(&p->list, name);

        key_list_append(&p->list, name);
        p->bytes += hit ? 0 : weight_of(name, weighted);
        while (p->list.count > p->max_count || p->bytes > p->max_bytes)
                p->bytes -= weight_of(key_list_take(&p->list, 0), weighted);
        return hit;
}

static void compare_with_plain_caches(uint64_t count, uint64_t bytes)
{
        static struct plain plain[IMAGINED_SIZES];
        bool weighted = bytes != UINT64_MAX;
        uint64_t state = 7;

        limit_to(count, bytes);
        for (unsigned z = 0; z < IMAGINED_SIZES; z++)
                plain[z] = (struct plain){
                        .max_count = reuse.zones[z].limit.count, .max_bytes = reuse.zones[z].limit.bytes};
        for (int i = 0; i < 30000; i++) {
                uint64_t drawn = random_next(&state);
                uint32_t name = (uint32_t)((drawn >> 32) % (1 + drawn % NAMES));
                unsigned zone = access_key(name, weight_of(name, weighted));

                for (unsigned z = 0; z < IMAGINED_SIZES; z++) {
                        assert_int_equal(plain_access(&plain[z], name, weighted), zone <= z);
                        assert_int_equal(plain[z].list.count, reuse.zones[z].count);
                        assert_int_equal(plain[z].bytes, reuse.zones[z].bytes);
                }
        }
        assert_int_equal(keys.count, reuse.zones[IMAGINED_SIZES - 1].count);
}

static void is_lru_of_every_size_by_count(void **state)
{
        (void)state;
        compare_with_plain_caches(3, UINT64_MAX);
}

static void is_lru_of_every_size_by_bytes(void **state)
{
        (void)state;
        compare_with_plain_caches(UINT64_MAX, 150);
}

static void is_lru_of_every_size_by_both(void **state)
{
        (void)state;
        compare_with_plain_caches(5, 200);
}

static void one_key_is_the_smallest_cache(void **state)
{
        (void)state;
        compare_with_plain_caches(1, UINT64_MAX);
}

/* ---- changes ---- */

static unsigned zone_of(uint32_t name)
{
        place_ref ref = sampled_keys_find(&keys, name);

        return ref == 0 ? IMAGINED_SIZES : sampled_key_at(&keys, ref)->zone;
}

static void access_one_to(uint32_t last)
{
        for (uint32_t name = 1; name <= last; name++)
                (void)access_key(name, 10);
}

static void new_limits_sort_the_keys_anew(void **state)
{
        (void)state;
        limit_to(2, UINT64_MAX);
        access_one_to(32);
        assert_int_equal(zone_of(32), 0);
        assert_int_equal(zone_of(30), 1);
        assert_int_equal(zone_of(1), 4);
        limit_to(1, UINT64_MAX);
        assert_int_equal(zone_of(31), 1);
        assert_int_equal(zone_of(17), 4);
        assert_int_equal(zone_of(16), IMAGINED_SIZES);
        assert_int_equal(keys.count, 16);
        limit_to(8, UINT64_MAX);
        assert_int_equal(zone_of(25), 0);
        assert_int_equal(zone_of(24), 1);
        assert_int_equal(zone_of(17), 1);
        limit_to(0, UINT64_MAX);
        assert_int_equal(keys.count, 0);
        assert_int_equal(reuse.front, 0);
}

static void what_is_taken_out_makes_room(void **state)
{
        place_ref ref;

        (void)state;
        limit_to(2, UINT64_MAX);
        access_one_to(4);
        for (uint32_t name = 4; name >= 1; name--) {
                ref = sampled_keys_find(&keys, name);
                reuse_take(&reuse, ref);
                assert_int_equal(reuse.zones[4].count, name - 1);
                assert_int_equal(reuse.zones[4].bytes, 10 * (name - 1));
                sampled_keys_loosen(&keys, ref);
        }
        assert_int_equal(reuse.front, 0);
        access_one_to(3);
        assert_int_equal(zone_of(1), 1);
        assert_int_equal(zone_of(2), 0);
}

static void replace(uint32_t name, uint32_t weight)
{
        place_ref from = sampled_keys_find(&keys, name);
        place_ref to = sampled_keys_renew(&keys, from);

        sampled_key_at(&keys, to)->weight = weight;
        reuse_replace(&reuse, from, to);
        sampled_keys_discard(&keys, from);
}

static void a_heavier_key_pushes_others_out(void **state)
{
        (void)state;
        limit_to(UINT64_MAX, 30);
        access_one_to(3);
        replace(3, 15);
        assert_int_equal(zone_of(3), 0);
        assert_int_equal(zone_of(2), 0);
        assert_int_equal(zone_of(1), 1);
        replace(2, 20);
        assert_int_equal(zone_of(3), 0);
        assert_int_equal(zone_of(2), 1);
        assert_int_equal(reuse.zones[0].bytes, 15);
        assert_int_equal(reuse.zones[1].bytes, 45);
        replace(1, 1000);
        assert_int_equal(zone_of(1), IMAGINED_SIZES);
        assert_int_equal(keys.count, 2);
        assert_int_equal(reuse.zones[4].bytes, 35);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(is_lru_of_every_size_by_count, set_up, tear_down),
                cmocka_unit_test_setup_teardown(is_lru_of_every_size_by_bytes, set_up, tear_down),
                cmocka_unit_test_setup_teardown(is_lru_of_every_size_by_both, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_key_is_the_smallest_cache, set_up, tear_down),
                cmocka_unit_test_setup_teardown(new_limits_sort_the_keys_anew, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_taken_out_makes_room, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_heavier_key_pushes_others_out, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
