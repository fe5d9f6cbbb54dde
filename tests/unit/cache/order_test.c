#include "cache/order.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { PLACES = 1000, OTHER_BITS = 0x55 };

static struct place array[PLACES + 1];
static struct places places = {.base = (uint8_t *)array, .shift = 4};
static bool present[PLACES + 1];
static struct order order;

static void open_order(const char *policy)
{
        for (place_ref ref = 1; ref <= PLACES; ref++) {
                array[ref] = (struct place){.hash = ref * 0x9e3779b1u, .owner = {OTHER_BITS, 1, 2}};
                present[ref] = false;
        }
        assert_ok(order_init(&order, policy_find(policy), &places));
}

static void close_order(void)
{
        order_deinit(&order);
        for (place_ref ref = 1; ref <= PLACES; ref++)
                assert_int_equal(array[ref].owner[0] & ~ORDER_SIDE, OTHER_BITS);
}

static void add(place_ref ref)
{
        order_added(&order, ref);
        present[ref] = true;
}

static void take(place_ref ref, bool evicted)
{
        assert_true(present[ref]);
        order_removed(&order, ref, evicted);
        present[ref] = false;
}

static bool is_changing(void)
{
        return order.sides[!order.in_force] != NULL;
}

static const char *policy_in_force(void)
{
        return order.sides[order.in_force]->ops->name;
}

static void follow(const char *policy)
{
        assert_ok(order_follow(&order, policy_find(policy)));
}

static void finish(void)
{
        for (int i = 0; is_changing(); i++) {
                assert_true(i < PLACES);
                order_move_some(&order);
        }
}

static void lru_to_lru_by_way_of_sieve_keeps_the_order(void **state)
{
        (void)state;
        open_order("lru");
        for (place_ref ref = 1; ref <= PLACES; ref++)
                add(ref);
        for (place_ref ref = 1; ref <= PLACES; ref += 2)
                order_used(&order, ref);
        follow("sieve");
        assert_string_equal(policy_in_force(), "sieve");
        finish();
        follow("lru");
        finish();
        for (place_ref ref = 2; ref <= PLACES; ref += 2) {
                assert_int_equal(order_victim(&order, 0), ref);
                take(ref, true);
        }
        for (place_ref ref = 1; ref <= PLACES; ref += 2) {
                assert_int_equal(order_victim(&order, 0), ref);
                take(ref, true);
        }
        assert_int_equal(order_victim(&order, 0), 0);
        close_order();
}

static void a_change_is_made_in_small_steps(void **state)
{
        int steps = 0;

        (void)state;
        open_order("lru");
        for (place_ref ref = 1; ref <= PLACES; ref++)
                add(ref);
        follow("s3fifo");
        assert_true(is_changing());
        assert_true(order_bytes(&order) > order.sides[order.in_force]->ops->bytes(order.sides[order.in_force]));
        follow("lru"); /* not before this one is done */
        assert_string_equal(policy_in_force(), "s3fifo");
        for (; is_changing(); steps++)
                order_move_some(&order);
        assert_in_range(steps, 10, 100);
        close_order();
}

/* Whatever happens in whatever order while policies change: who is in is in, and goes once. */
static void nobody_is_lost_or_there_twice(void **state)
{
        static const char *const names[] = {"lru", "sieve", "s3fifo", "wtinylfu"};
        uint64_t random = 3;
        uint32_t count = 0;

        (void)state;
        open_order("wtinylfu");
        for (int i = 0; i < 200000; i++) {
                uint64_t drawn = random_next(&random);
                place_ref ref = 1 + (place_ref)(drawn >> 32) % PLACES;
                place_ref to = ref % PLACES + 1;

                if (drawn % 997 == 0)
                        follow(names[drawn / 997 % 4]);
                if (!present[ref]) {
                        add(ref);
                        order_move_some(&order);
                } else if (drawn % 8 == 0) {
                        take(ref, false);
                } else if (drawn % 8 == 1 && !present[to]) {
                        order_replaced(&order, ref, to);
                        present[ref] = false;
                        present[to] = true;
                } else {
                        order_used(&order, ref);
                }
                if (drawn % 4 == 0 && (ref = order_victim(&order, (uint32_t)drawn)) != 0)
                        take(ref, true);
        }
        for (place_ref ref = 1; ref <= PLACES; ref++)
                count += present[ref];
        for (; count > 0; count--)
                take(order_victim(&order, 0), true);
        assert_int_equal(order_victim(&order, 0), 0);
        close_order();
}

static enum err init_and_follow(void *context)
{
        struct order o;
        enum err rc = order_init(&o, policy_find("lru"), &places);

        (void)context;
        if (rc != OK)
                return rc;
        rc = order_follow(&o, policy_find("sieve"));
        assert_string_equal(o.sides[o.in_force]->ops->name, rc == OK ? "sieve" : "lru");
        order_deinit(&o);
        return rc;
}

static void without_memory_nothing_changes(void **state)
{
        (void)state;
        each_allocation_fails(init_and_follow, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lru_to_lru_by_way_of_sieve_keeps_the_order),
                cmocka_unit_test(a_change_is_made_in_small_steps),
                cmocka_unit_test(nobody_is_lost_or_there_twice),
                cmocka_unit_test(without_memory_nothing_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
