/* Problem: which entry will not be asked for again? Nobody knows; but what was asked for a moment ago is likely to be
 * asked for soon.
 *
 * Idea: one queue in order of the last use. A hit moves to the front, room is made at the back. Every operation is a
 * few stores.
 *
 * Why it is not enough: one pass over many keys, each asked for once, sweeps everything else out, and a cycle a little
 * longer than the cache hits nothing at all. And each hit writes to four places, under the shard's lock. The other
 * policies each mend a part of this; this one is the yardstick, and what people expect of a cache.
 *
 * Cost: none beside the place itself. */
#include "cache/policy_lru.h"

#include "base/mem.h"
#include "cache/place_queue.h"

struct lru {
        struct policy policy;
        struct place_queue queue;
};

static struct lru *lru_of(struct policy *policy)
{
        VC_ASSERT(policy->magic == POLICY_MAGIC && policy->ops == &policy_lru);
        return (struct lru *)(void *)policy;
}

static enum err lru_create(struct policy **out, const struct places *places)
{
        struct lru *lru = vc_calloc(1, sizeof(*lru));

        *out = NULL;
        if (lru == NULL)
                return ERR_NOMEM;
        lru->policy = (struct policy){.magic = POLICY_MAGIC, .ops = &policy_lru, .places = places};
        *out = &lru->policy;
        return OK;
}

static void lru_added(struct policy *policy, place_ref ref)
{
        place_queue_push(&lru_of(policy)->queue, policy->places, ref);
}

static void lru_used(struct policy *policy, place_ref ref)
{
        struct place_queue *queue = &lru_of(policy)->queue;

        if (queue->front == ref) /* the hottest entry is there already: no store, so no cache line changes hands */
                return;
        place_queue_to_front(queue, policy->places, ref);
}

static void lru_removed(struct policy *policy, place_ref ref, bool evicted)
{
        (void)evicted;
        place_queue_remove(&lru_of(policy)->queue, policy->places, ref);
}

static void lru_replaced(struct policy *policy, place_ref from, place_ref to)
{
        place_queue_replace(&lru_of(policy)->queue, policy->places, from, to);
}

static place_ref lru_victim(struct policy *policy, uint32_t for_hash)
{
        (void)for_hash;
        return lru_of(policy)->queue.back;
}

static place_ref lru_walk(const struct policy *policy, place_ref after)
{
        const struct lru *lru = (const struct lru *)(const void *)policy;

        return after == 0 ? lru->queue.back : place_at(policy->places, after)->prev;
}

static uint64_t lru_bytes(const struct policy *policy)
{
        return vc_footprint(policy);
}

static void lru_destroy(struct policy **policy)
{
        vc_free(*policy);
        *policy = NULL;
}

const struct policy_ops policy_lru = {
        .name = "lru",
        .create = lru_create,
        .added = lru_added,
        .used = lru_used,
        .removed = lru_removed,
        .replaced = lru_replaced,
        .victim = lru_victim,
        .walk = lru_walk,
        .bytes = lru_bytes,
        .destroy = lru_destroy,
};
