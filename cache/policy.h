/* Which entry goes when there is no room: a small interface, so that L1's shards do not know how it is decided.
 *
 * A policy orders places. A place is 16 bytes that somebody else owns, and is known by a 32-bit reference, so that the
 * same code orders the entries of L1 in their arena and the sampled keys of a shadow in a plain array.
 *
 * No policy knows the capacity. Room is asked for (victim) when the owner is full, so the weight of what is there is
 * the capacity then, and shares of it ("a tenth of the cache") are shares of that weight.
 *
 * One policy object per shard; all calls under that shard's lock, so no implementation needs one of its own. Only
 * create() and added() allocate, and only create() can fail: what a policy remembers of keys that are gone (ghosts,
 * frequencies) follows the number of places, and stays as small as it is where there is no memory for more. */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t place_ref; /* 0: none */

struct place {
        place_ref next; /* the policy's, between added() and removed() */
        place_ref prev;
        uint32_t hash;    /* the owner's: of the key, evenly spread; policies know keys that are gone by it */
        uint8_t state;    /* the policy's: queue, visited bit, small counter */
        uint8_t owner[3]; /* the owner's; no policy touches them */
};

_Static_assert(sizeof(struct place) == 16, "a place is a quarter of a cache line");

/* Where references lead, and what the places there weigh. */
struct places {
        uint8_t *base; /* the place of reference r is at base + (r << shift) */
        unsigned shift;
        /* The bytes that a place stands for, the same from added() to removed(). NULL: each weighs 1. */
        uint64_t (*weight)(const struct places *places, place_ref ref);
};

static inline struct place *place_at(const struct places *places, place_ref ref)
{
        return (struct place *)(void *)(places->base + ((size_t)ref << places->shift));
}

static inline uint64_t place_weight(const struct places *places, place_ref ref)
{
        return places->weight == NULL ? 1 : places->weight(places, ref);
}

struct policy;

struct policy_ops {
        const char *name; /* as in the configuration: cache.l1.policy */
        /* An empty policy over `places`, which outlives it. ERR_NOMEM; *out is NULL then. */
        enum err (*create)(struct policy **out, const struct places *places);
        /* A place that is in no policy comes in; its `hash` is set, `next`, `prev` and `state` are whatever they are.
         * What its key is remembered for counts. */
        void (*added)(struct policy *policy, place_ref ref);
        /* It was hit. Stores as little as it can: this is the hit path. */
        void (*used)(struct policy *policy, place_ref ref);
        /* It goes; called while its weight can still be asked for. `evicted`: for want of room, so that the policy may
         * remember the key; false for all other reasons. Any place at any time, victim or not. */
        void (*removed)(struct policy *policy, place_ref ref, bool evicted);
        /* `to`, which is in no policy, takes over the standing of `from`, which is in none afterwards: the same key has
         * a newer state. Not a use. The two may differ in weight. */
        void (*replaced)(struct policy *policy, place_ref from, place_ref to);
        /* Who is to go next so that a key of hash `for_hash` may come in (0 where none does: the bounds were lowered).
         * 0: there is no place at all. It stays in until removed(). The policy may move others between its queues while
         * it looks, each of them a bounded number of times. */
        place_ref (*victim)(struct policy *policy, uint32_t for_hash);
        /* All places one by one, roughly from those that would go first to those that would go last: `after` is the one
         * before, or 0 for the first; 0 at the end. Changes nothing. The next one may be asked for before the present
         * one is taken out or given to another policy. */
        place_ref (*walk)(const struct policy *policy, place_ref after);
        /* Memory that the policy takes for itself; it changes in create() and added() only. Cheap. */
        uint64_t (*bytes)(const struct policy *policy);
        /* Frees the policy, not what is in it; nulls; NULL-safe. */
        void (*destroy)(struct policy **policy);
};

/* Every implementation's struct begins with this. */
struct policy {
        uint32_t magic;
        const struct policy_ops *ops;
        const struct places *places;
};

#define POLICY_MAGIC 0x70711c79u

/* The policy of that name, or NULL. Any thread; the result lives for ever. */
const struct policy_ops *policy_find(const char *name);

/* All names with ", " between them, for the message about a name that is not there. Any thread. */
const char *policy_names(void);

#endif
