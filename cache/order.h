/* The order in which entries go: a policy, and, while it is being changed for another, both. An order has two sides
 * with a policy each. New places come in on the side of the policy in force; those on the other side move over a few at
 * a time, the first to go first, so that no call takes long, however many there are. A bit of each place says which
 * side it is on.
 *
 * Not thread-safe: a shard's lock covers it. Private to cache/. */
#ifndef CACHE_ORDER_H
#define CACHE_ORDER_H

#include "cache/policy.h"

struct order {
        const struct places *places;
        struct policy *sides[2]; /* the one that is not in force: NULL when all places have moved over */
        unsigned in_force;
};

enum { ORDER_SIDE = 0x80 }; /* of place.owner[0], which is written whole and without the lock read too: atomically */

/* ERR_NOMEM: nothing to deinit then. */
enum err order_init(struct order *order, const struct policy_ops *ops, const struct places *places) MUST_CHECK;
/* What is in it is not freed. */
void order_deinit(struct order *order);

/* The policy in force is that of `ops` from now on; nothing is done if it already is, or while the change before is
 * under way. ERR_NOMEM: it stays what it is. */
enum err order_follow(struct order *order, const struct policy_ops *ops);
/* Moves some places over, if there are any on the other side: to be called for each place that comes in. */
void order_move_some(struct order *order);

static inline struct policy *order_policy_of(const struct order *order, place_ref ref)
{
        return order->sides[place_at(order->places, ref)->owner[0] >> 7];
}

static inline void order_used(struct order *order, place_ref ref)
{
        struct policy *policy = order_policy_of(order, ref);

        policy->ops->used(policy, ref);
}

/* As the calls of struct policy_ops. */
void order_added(struct order *order, place_ref ref);
void order_removed(struct order *order, place_ref ref, bool evicted);
void order_replaced(struct order *order, place_ref from, place_ref to);
place_ref order_victim(struct order *order, uint32_t for_hash);
uint64_t order_bytes(const struct order *order);

#endif
