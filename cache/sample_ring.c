#include "cache/sample_ring.h"

/* A pusher claims a slot by moving `head` on, then fills it; `what` is written last, so the taker that sees it sees all
 * of the slot. The taker empties the slot before it moves `tail` on, so a slot that can be claimed is empty. */

static struct sample_slot *slot_at(struct sample_ring *ring, uint64_t number)
{
        return &ring->slots[number % SAMPLE_RING_SIZE];
}

static bool claim(struct sample_ring *ring, uint64_t *number)
{
        *number = atomic_load_explicit(&ring->head, memory_order_relaxed);
        do {
                /* signed: both may have moved on since `number` was read; it is no longer the head then */
                if ((int64_t)(*number - atomic_load_explicit(&ring->tail, memory_order_acquire)) >= SAMPLE_RING_SIZE)
                        return false;
        } while (!atomic_compare_exchange_weak_explicit(
                &ring->head, number, *number + 1, memory_order_relaxed, memory_order_relaxed));
        return true;
}

bool sample_ring_push(struct sample_ring *ring, const struct sample *sample)
{
        struct sample_slot *slot;
        uint64_t number;

        if (!claim(ring, &number))
                return false;
        slot = slot_at(ring, number);
        slot->weight = sample->weight;
        slot->bytes = sample->bytes;
        slot->expires = sample->expires;
        atomic_store_explicit(&slot->what, (uint64_t)sample->kind << 32 | sample->hash, memory_order_release);
        return true;
}

bool sample_ring_take(struct sample_ring *ring, struct sample *out)
{
        uint64_t number = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        struct sample_slot *slot = slot_at(ring, number);
        uint64_t what = atomic_load_explicit(&slot->what, memory_order_acquire);

        if (what == 0)
                return false;
        *out = (struct sample){.kind = (enum sample_kind)(what >> 32),
                .hash = (uint32_t)what,
                .weight = slot->weight,
                .bytes = slot->bytes,
                .expires = slot->expires};
        atomic_store_explicit(&slot->what, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->tail, number + 1, memory_order_release);
        return true;
}

bool sample_ring_is_waiting(struct sample_ring *ring)
{
        const struct sample_slot *slot = slot_at(ring, atomic_load_explicit(&ring->tail, memory_order_acquire));

        return atomic_load_explicit(&slot->what, memory_order_relaxed) != 0;
}
