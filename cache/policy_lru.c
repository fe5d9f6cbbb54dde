#include "cache/policy_lru.h"

#include "base/mem.h"

/* One ring: the entry used last at the front, the next victim at the back. Every operation is a few stores. */
struct lru {
        struct policy policy;
        struct list ring;
};

static struct list *ring_of(struct policy *policy)
{
        VC_ASSERT(policy->magic == POLICY_MAGIC && policy->ops == &policy_lru);
        return &((struct lru *)(void *)policy)->ring;
}

static enum err lru_create(struct policy **out)
{
        struct lru *lru = vc_calloc(1, sizeof(*lru));

        *out = NULL;
        if (lru == NULL)
                return ERR_NOMEM;
        lru->policy = (struct policy){.magic = POLICY_MAGIC, .ops = &policy_lru};
        list_init(&lru->ring);
        *out = &lru->policy;
        return OK;
}

static void lru_added(struct policy *policy, struct list *place)
{
        list_push_front(ring_of(policy), place);
}

static void lru_used(struct policy *policy, struct list *place)
{
        struct list *ring = ring_of(policy);

        if (ring->next == place) /* the hottest entry is there already: no store, so no cache line changes hands */
                return;
        list_remove(place);
        list_push_front(ring, place);
}

static void lru_removed(struct policy *policy, struct list *place)
{
        VC_ASSERT(!list_empty(ring_of(policy)));
        list_remove(place);
}

static struct list *lru_victim(struct policy *policy)
{
        struct list *ring = ring_of(policy);

        return list_empty(ring) ? NULL : ring->prev;
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
        .victim = lru_victim,
        .destroy = lru_destroy,
};
