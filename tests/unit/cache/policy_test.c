/* What every policy keeps to, whatever order it chooses. */
#include "cache/policy.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/policy_case.h"

#include <string.h>

enum { KEYS = 500, CAPACITY = 2000, WEIGHT_MAX = 60, STEPS = 200000 };

static struct policy_case c;

static const struct policy_ops *ops_of(void **state)
{
        const struct policy_ops *ops = policy_find(*state);

        assert_non_null(ops);
        return ops;
}

/* The walk names what is there, each once. */
static void assert_walk_is_complete(void)
{
        bool seen[POLICY_CASE_KEYS_MAX] = {false};

        for (place_ref at = c.policy->ops->walk(c.policy, 0); at != 0; at = c.policy->ops->walk(c.policy, at)) {
                assert_false(seen[at]);
                seen[at] = true;
        }
        assert_memory_equal(seen, c.present, sizeof(seen));
}

static void replace_if_possible(uint32_t from, uint32_t to)
{
        if (c.present[from] && !c.present[to])
                policy_case_replace(&c, from, to);
}

static uint32_t draw(uint64_t *random, uint32_t below)
{
        return (uint32_t)(random_next(random) % below);
}

static void churn_step(uint64_t *random)
{
        uint32_t one = 1 + draw(random, KEYS);
        uint32_t kind = draw(random, 16);

        if (kind < 2 && c.present[one])
                policy_case_remove(&c, one);
        else if (kind < 3)
                replace_if_possible(one, 1 + draw(random, KEYS));
        else if (kind < 4)
                (void)policy_case_evict(&c, one);
        else
                (void)policy_case_read(&c, kind < 10 ? 1 + one % 50 : one);
}

static void any_order_of_calls_keeps_all_places(void **state)
{
        uint64_t random = 7;

        policy_case_open(&c, ops_of(state), CAPACITY);
        for (uint32_t key = 1; key <= KEYS; key++)
                c.weights[key] = 1 + draw(&random, WEIGHT_MAX);
        for (uint32_t i = 0; i < STEPS; i++) {
                churn_step(&random);
                if (i % 1000 == 0)
                        assert_walk_is_complete();
        }
        while (policy_case_evict(&c, 0) != 0)
                continue;
        assert_int_equal(c.weight, 0);
        assert_walk_is_complete();
        policy_case_close(&c);
}

static void a_victim_stays_in_until_it_is_removed(void **state)
{
        uint32_t victim;

        policy_case_open(&c, ops_of(state), 100);
        for (uint32_t key = 1; key <= 100; key++)
                (void)policy_case_read(&c, key);
        victim = c.policy->ops->victim(c.policy, 0);
        assert_true(c.present[victim]);
        assert_walk_is_complete();
        policy_case_remove(&c, victim);
        assert_walk_is_complete();
        policy_case_close(&c);
}

static void an_empty_one_has_no_victim(void **state)
{
        policy_case_open(&c, ops_of(state), 0);
        assert_int_equal(c.policy->ops->victim(c.policy, 0), 0);
        assert_int_equal(c.policy->ops->walk(c.policy, 0), 0);
        policy_case_close(&c);
}

/* Another policy takes the places over, one by one, while the walk goes on. */
static void its_places_can_move_to_another(void **state)
{
        struct policy *fresh;
        place_ref next;
        uint32_t moved = 0;

        policy_case_open(&c, ops_of(state), 100);
        for (uint32_t key = 1; key <= 150; key++)
                (void)policy_case_read(&c, key);
        assert_ok(c.policy->ops->create(&fresh, &c.places));
        for (place_ref at = c.policy->ops->walk(c.policy, 0); at != 0; at = next, moved++) {
                next = c.policy->ops->walk(c.policy, at);
                c.policy->ops->removed(c.policy, at, false);
                fresh->ops->added(fresh, at);
        }
        assert_int_equal(moved, 100);
        c.policy->ops->destroy(&c.policy);
        c.policy = fresh;
        assert_walk_is_complete();
        policy_case_close(&c);
}

/* What it takes for itself follows what is there: both ways. */
static void memory_follows_the_places(void **state)
{
        uint64_t empty;
        uint64_t full;

        policy_case_open(&c, ops_of(state), 3000);
        empty = c.policy->ops->bytes(c.policy);
        for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++)
                (void)policy_case_read(&c, key);
        full = c.policy->ops->bytes(c.policy);
        for (int round = 0; round < 10; round++)
                for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++)
                        (void)policy_case_read(&c, key);
        print_message("%s: %llu bytes when empty, %.1f per place\n", (const char *)*state, (unsigned long long)empty,
                (double)(full - empty) / 3000);
        assert_true(c.policy->ops->bytes(c.policy) <= full);
        assert_true(full - empty <= 3000 * 24);
        c.capacity = 10;
        for (int round = 0; round < 10; round++)
                for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++)
                        (void)policy_case_read(&c, key);
        assert_true(c.policy->ops->bytes(c.policy) <= empty + 2000);
        policy_case_close(&c);
}

static enum err create(void *ops)
{
        static const struct places none = {.base = NULL};
        struct policy *p;
        enum err rc = ((const struct policy_ops *)ops)->create(&p, &none);

        ((const struct policy_ops *)ops)->destroy(&p);
        assert_null(p);
        return rc;
}

static void creation_survives_each_failed_allocation(void **state)
{
        each_allocation_fails(create, (void *)(uintptr_t)ops_of(state));
}

static bool never(void *context)
{
        (void)context;
        return false;
}

static void goes_on_where_there_is_no_memory(void **state)
{
        uint64_t empty;

        policy_case_open(&c, ops_of(state), 1000);
        empty = c.policy->ops->bytes(c.policy);
        mem_set_gate(never, NULL);
        for (int round = 0; round < 3; round++)
                for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++)
                        (void)policy_case_read(&c, key);
        mem_set_gate(NULL, NULL);
        assert_int_equal(c.policy->ops->bytes(c.policy), empty);
        assert_walk_is_complete();
        policy_case_close(&c);
}

static void is_found_by_its_name(void **state)
{
        assert_string_equal(ops_of(state)->name, *state);
        assert_non_null(strstr(policy_names(), *state));
        assert_null(policy_find("LRU"));
        assert_null(policy_find(""));
}

#define TESTS_OF(name)                                                                                                 \
        cmocka_unit_test_prestate(any_order_of_calls_keeps_all_places, name),                                          \
                cmocka_unit_test_prestate(a_victim_stays_in_until_it_is_removed, name),                                \
                cmocka_unit_test_prestate(an_empty_one_has_no_victim, name),                                           \
                cmocka_unit_test_prestate(its_places_can_move_to_another, name),                                       \
                cmocka_unit_test_prestate(memory_follows_the_places, name),                                            \
                cmocka_unit_test_prestate(creation_survives_each_failed_allocation, name),                             \
                cmocka_unit_test_prestate(goes_on_where_there_is_no_memory, name),                                     \
                cmocka_unit_test_prestate(is_found_by_its_name, name)

int main(void)
{
        static char lru[] = "lru";
        static char sieve[] = "sieve";
        static char s3fifo[] = "s3fifo";
        static char wtinylfu[] = "wtinylfu";
        const struct CMUnitTest tests[] = {TESTS_OF(lru), TESTS_OF(sieve), TESTS_OF(s3fifo), TESTS_OF(wtinylfu)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
