/* Problem: most keys that come in are never asked for again. LRU lets each of them travel through the whole queue
 * before it goes, and pays for that with a move at every hit.
 *
 * Idea: one queue in order of arrival. A hit sets a bit and moves nothing. A hand goes from the oldest towards the
 * newest, clears the bits that it finds set, and takes the first place without one; then it stays where it is, and
 * wraps at the front. What survives stays where it stands, so the hand soon moves among the newcomers, and those that
 * nobody asks for again go quickly, while what proved itself lies behind it.
 *
 * Why not CLOCK (FIFO with a second chance), which differs only in that survivors go to the front: they then stand
 * among the newcomers, and the hand has to pass both alike; it never learns to look at the newcomers only.
 *
 * Where it is weak: a hand that has just passed finds everything used once again, so what is asked for twice in a
 * burst and never after stays for a whole round. Small caches of shifting favourites do better with LRU
 * (docs/CACHING.md).
 *
 * Cost: a bit. A hit stores at most once between two rounds of the hand. A round clears as many bits as hits have set,
 * so a victim costs O(1) on average.
 *
 * Source: Zhang, Yang, Yue, Vigfusson, Rashmi: SIEVE is Simpler than LRU. NSDI 2024. */
#include "cache/policy_sieve.h"

#include "base/mem.h"
#include "cache/place_queue.h"

enum { USED = 1 }; /* place.state */

struct sieve {
        struct policy policy;
        struct place_queue queue;
        place_ref hand; /* the next to be looked at; 0: the oldest */
};

static struct sieve *sieve_of(struct policy *policy)
{
        VC_ASSERT(policy->magic == POLICY_MAGIC && policy->ops == &policy_sieve);
        return (struct sieve *)(void *)policy;
}

static enum err sieve_create(struct policy **out, const struct places *places)
{
        struct sieve *sieve = vc_calloc(1, sizeof(*sieve));

        *out = NULL;
        if (sieve == NULL)
                return ERR_NOMEM;
        sieve->policy = (struct policy){.magic = POLICY_MAGIC, .ops = &policy_sieve, .places = places};
        *out = &sieve->policy;
        return OK;
}

static void sieve_added(struct policy *policy, place_ref ref)
{
        place_at(policy->places, ref)->state = 0;
        place_queue_push(&sieve_of(policy)->queue, policy->places, ref);
}

static void sieve_used(struct policy *policy, place_ref ref)
{
        struct place *place = place_at(policy->places, ref);

        if (place->state != USED)
                place->state = USED;
}

static void sieve_removed(struct policy *policy, place_ref ref, bool evicted)
{
        struct sieve *sieve = sieve_of(policy);

        (void)evicted;
        if (sieve->hand == ref)
                sieve->hand = place_at(policy->places, ref)->prev;
        place_queue_remove(&sieve->queue, policy->places, ref);
}

static void sieve_replaced(struct policy *policy, place_ref from, place_ref to)
{
        struct sieve *sieve = sieve_of(policy);

        if (sieve->hand == from)
                sieve->hand = to;
        place_queue_replace(&sieve->queue, policy->places, from, to);
}

static place_ref hand_of(const struct sieve *sieve)
{
        return sieve->hand != 0 ? sieve->hand : sieve->queue.back;
}

static place_ref sieve_victim(struct policy *policy, uint32_t for_hash)
{
        struct sieve *sieve = sieve_of(policy);
        place_ref at = hand_of(sieve);

        (void)for_hash;
        while (at != 0 && place_at(policy->places, at)->state == USED) {
                place_at(policy->places, at)->state = 0;
                sieve->hand = place_at(policy->places, at)->prev;
                at = hand_of(sieve);
        }
        sieve->hand = at;
        return at;
}

/* From the hand to the front, then what lies behind the hand. */
static place_ref sieve_walk(const struct policy *policy, place_ref after)
{
        const struct sieve *sieve = (const struct sieve *)(const void *)policy;
        place_ref next;

        if (after == 0)
                return hand_of(sieve);
        next = place_at(policy->places, after)->prev;
        if (next == 0)
                next = sieve->queue.back;
        return next == hand_of(sieve) ? 0 : next;
}

static uint64_t sieve_bytes(const struct policy *policy)
{
        return vc_footprint(policy);
}

static void sieve_destroy(struct policy **policy)
{
        vc_free(*policy);
        *policy = NULL;
}

const struct policy_ops policy_sieve = {
        .name = "sieve",
        .create = sieve_create,
        .added = sieve_added,
        .used = sieve_used,
        .removed = sieve_removed,
        .replaced = sieve_replaced,
        .victim = sieve_victim,
        .walk = sieve_walk,
        .bytes = sieve_bytes,
        .destroy = sieve_destroy,
};
