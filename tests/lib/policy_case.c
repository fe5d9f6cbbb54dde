#include "tests/lib/policy_case.h"

#include "base/hash.h"

#include <string.h>

static uint64_t weigh(const struct places *places, place_ref ref)
{
        return ((const struct policy_case *)(const void *)places)->weights[ref];
}

void policy_case_open(struct policy_case *c, const struct policy_ops *ops, uint64_t capacity)
{
        memset(c, 0, sizeof(*c));
        c->places = (struct places){.base = (uint8_t *)c->array, .shift = 4, .weight = weigh};
        c->capacity = capacity;
        for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++) {
                c->weights[key] = 1;
                c->array[key].hash = (uint32_t)hash64(slice_of(&key, sizeof(key)), 0);
                memcpy(c->array[key].owner, &key, sizeof(c->array[key].owner));
        }
        assert_ok(ops->create(&c->policy, &c->places));
}

void policy_case_close(struct policy_case *c)
{
        for (uint32_t key = 1; key < POLICY_CASE_KEYS_MAX; key++)
                assert_memory_equal(c->array[key].owner, &key, sizeof(c->array[key].owner));
        c->policy->ops->destroy(&c->policy);
        assert_null(c->policy);
}

void policy_case_add(struct policy_case *c, uint32_t key)
{
        assert_false(c->present[key]);
        c->policy->ops->added(c->policy, key);
        c->present[key] = true;
        c->weight += c->weights[key];
}

/* Nobody may follow the links of a place that is out. */
static void forget_links(struct place *place)
{
        place->next = place->prev = UINT32_MAX;
}

static void take_out(struct policy_case *c, uint32_t key, bool evicted)
{
        assert_true(c->present[key]);
        c->policy->ops->removed(c->policy, key, evicted);
        c->present[key] = false;
        c->weight -= c->weights[key];
        forget_links(&c->array[key]);
}

void policy_case_remove(struct policy_case *c, uint32_t key)
{
        take_out(c, key, false);
}

void policy_case_replace(struct policy_case *c, uint32_t from, uint32_t to)
{
        assert_true(c->present[from] && !c->present[to]);
        c->policy->ops->replaced(c->policy, from, to);
        c->present[from] = false;
        c->present[to] = true;
        c->weight += c->weights[to];
        c->weight -= c->weights[from];
        forget_links(&c->array[from]);
}

uint32_t policy_case_evict(struct policy_case *c, uint32_t for_key)
{
        uint32_t victim = c->policy->ops->victim(c->policy, c->array[for_key].hash);

        if (victim != 0)
                take_out(c, victim, true);
        return victim;
}

bool policy_case_read(struct policy_case *c, uint32_t key)
{
        if (c->present[key]) {
                c->policy->ops->used(c->policy, key);
                return true;
        }
        while (c->capacity > 0 && c->weight + c->weights[key] > c->capacity)
                assert_int_not_equal(policy_case_evict(c, key), 0);
        policy_case_add(c, key);
        return false;
}

enum { CHURN_STEPS = 100000, CHURN_KEYS = 300 };

void assert_reads_as(struct policy_case *c, const struct policy_reference *reference)
{
        uint64_t random = 11;

        for (int i = 0; i < CHURN_STEPS; i++) {
                uint32_t bound = (uint32_t)(1 + random_next(&random) % CHURN_KEYS);
                uint32_t key = (uint32_t)(1 + random_next(&random) % bound);

                if (reference->remove == NULL || random_next(&random) % 32 != 0) {
                        assert_int_equal(policy_case_read(c, key), reference->read(reference->context, key));
                } else if (c->present[key]) {
                        policy_case_remove(c, key);
                        reference->remove(reference->context, key);
                }
        }
}

static uint32_t key_of(char letter)
{
        return (uint32_t)(letter - 'a' + 1);
}

void assert_reads(struct policy_case *c, const char *trace, const char *outcome)
{
        char got[256];
        size_t count = strlen(trace);

        assert_true(count < sizeof(got));
        for (size_t i = 0; i < count; i++)
                got[i] = policy_case_read(c, key_of(trace[i])) ? '+' : '.';
        got[count] = '\0';
        assert_string_equal(got, outcome);
}

void assert_walk(const struct policy_case *c, const char *order)
{
        place_ref at = 0;

        for (const char *letter = order; *letter != '\0'; letter++) {
                at = c->policy->ops->walk(c->policy, at);
                assert_int_equal(at, key_of(*letter));
        }
        assert_int_equal(c->policy->ops->walk(c->policy, at), 0);
}

void assert_leaves_in_order(struct policy_case *c, const char *order)
{
        for (const char *letter = order; *letter != '\0'; letter++)
                assert_int_equal(policy_case_evict(c, 0), key_of(*letter));
        assert_int_equal(policy_case_evict(c, 0), 0);
}
