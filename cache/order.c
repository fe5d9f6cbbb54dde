#include "cache/order.h"

enum { MOVED_AT_ONCE = 32 };

enum err order_init(struct order *order, const struct policy_ops *ops, const struct places *places)
{
        *order = (struct order){.places = places};
        return ops->create(&order->sides[0], places);
}

static void close_side(struct order *order, unsigned side)
{
        struct policy **policy = &order->sides[side];

        if (*policy != NULL)
                (*policy)->ops->destroy(policy);
}

void order_deinit(struct order *order)
{
        close_side(order, 0);
        close_side(order, 1);
}

static struct policy *in_force(const struct order *order)
{
        return order->sides[order->in_force];
}

enum err order_follow(struct order *order, const struct policy_ops *ops)
{
        unsigned other = !order->in_force;
        enum err rc;

        if (in_force(order)->ops == ops || order->sides[other] != NULL)
                return OK;
        rc = ops->create(&order->sides[other], order->places);
        if (rc != OK)
                return rc;
        order->in_force = other;
        order_move_some(order);
        return OK;
}

void order_move_some(struct order *order)
{
        unsigned other = !order->in_force;
        struct policy *from = order->sides[other];

        for (int moved = 0; from != NULL && moved < MOVED_AT_ONCE; moved++) {
                place_ref ref = from->ops->walk(from, 0);

                if (ref == 0) {
                        close_side(order, other);
                        return;
                }
                from->ops->removed(from, ref, false);
                order_added(order, ref);
        }
}

/* The owner reads its bits of the byte whenever it likes. */
static void set_side(const struct order *order, place_ref ref, unsigned side)
{
        uint8_t *byte = &place_at(order->places, ref)->owner[0];
        unsigned others = __atomic_load_n(byte, __ATOMIC_RELAXED) & ~(unsigned)ORDER_SIDE;

        __atomic_store_n(byte, (uint8_t)(others | side << 7), __ATOMIC_RELAXED);
}

void order_added(struct order *order, place_ref ref)
{
        set_side(order, ref, order->in_force);
        in_force(order)->ops->added(in_force(order), ref);
}

void order_removed(struct order *order, place_ref ref, bool evicted)
{
        struct policy *policy = order_policy_of(order, ref);

        policy->ops->removed(policy, ref, evicted);
}

void order_replaced(struct order *order, place_ref from, place_ref to)
{
        struct policy *policy = order_policy_of(order, from);

        set_side(order, to, place_at(order->places, from)->owner[0] >> 7);
        policy->ops->replaced(policy, from, to);
}

/* What has moved over so far were the first to go. */
place_ref order_victim(struct order *order, uint32_t for_hash)
{
        const unsigned sides[] = {order->in_force, !order->in_force};

        for (unsigned i = 0; i < 2; i++) {
                struct policy *policy = order->sides[sides[i]];
                place_ref victim = policy == NULL ? 0 : policy->ops->victim(policy, for_hash);

                if (victim != 0)
                        return victim;
        }
        return 0;
}

uint64_t order_bytes(const struct order *order)
{
        uint64_t bytes = 0;

        for (unsigned side = 0; side < 2; side++)
                bytes += order->sides[side] == NULL ? 0 : order->sides[side]->ops->bytes(order->sides[side]);
        return bytes;
}
