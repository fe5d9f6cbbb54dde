/* A doubly linked queue of places, of which policies are made: the newest at the front, the next to go at the back. It
 * links through the places' own next and prev, so a place is in one queue at a time. Private to policies.
 *
 * Towards the front is `prev`, towards the back is `next`; both ends are 0. */
#ifndef CACHE_PLACE_QUEUE_H
#define CACHE_PLACE_QUEUE_H

#include "cache/policy.h"

struct place_queue {
        place_ref front;
        place_ref back;
        uint32_t count;
        uint64_t weight; /* of all that is in it */
};

/* The first half of push: `ref` at the front, count and weight as they were. */
static inline void place_queue_link_front(struct place_queue *q, const struct places *places, place_ref ref)
{
        struct place *p = place_at(places, ref);

        p->prev = 0;
        p->next = q->front;
        if (q->front != 0)
                place_at(places, q->front)->prev = ref;
        else
                q->back = ref;
        q->front = ref;
}

/* Points the neighbours of `p`, or the ends of the queue, at other places: the one before `p` at `next`, the one behind
 * it at `prev`. */
static inline void place_queue_relink(
        struct place_queue *q, const struct places *places, const struct place *p, place_ref next, place_ref prev)
{
        if (p->prev != 0)
                place_at(places, p->prev)->next = next;
        else
                q->front = next;
        if (p->next != 0)
                place_at(places, p->next)->prev = prev;
        else
                q->back = prev;
}

/* Takes in a place that is in no queue. */
static inline void place_queue_push(struct place_queue *q, const struct places *places, place_ref ref)
{
        place_queue_link_front(q, places, ref);
        q->count++;
        q->weight += place_weight(places, ref);
}

/* Takes out a place that is in the queue. */
static inline void place_queue_remove(struct place_queue *q, const struct places *places, place_ref ref)
{
        const struct place *p = place_at(places, ref);

        VC_ASSERT(q->count > 0);
        place_queue_relink(q, places, p, p->next, p->prev);
        q->count--;
        q->weight -= place_weight(places, ref);
}

/* Moves a place that is in the queue to its front. */
static inline void place_queue_to_front(struct place_queue *q, const struct places *places, place_ref ref)
{
        const struct place *p = place_at(places, ref);

        place_queue_relink(q, places, p, p->next, p->prev);
        place_queue_link_front(q, places, ref);
}

/* `to` stands where `from` stood, and has its state. */
static inline void place_queue_replace(struct place_queue *q, const struct places *places, place_ref from, place_ref to)
{
        const struct place *old = place_at(places, from);
        struct place *fresh = place_at(places, to);

        VC_ASSERT(q->count > 0);
        fresh->prev = old->prev;
        fresh->next = old->next;
        fresh->state = old->state;
        place_queue_relink(q, places, old, to, to);
        q->weight += place_weight(places, to);
        q->weight -= place_weight(places, from);
}

/* For walks over several queues, those that go first before the others: the one towards the front from `after`, which
 * is in queue number `in` of them, or the back of the next that has any; with `after` 0 the back of the first that
 * has. */
static inline place_ref place_queues_walk(
        const struct place_queue *const *queues, const struct places *places, unsigned in, place_ref after)
{
        place_ref next = after == 0 ? queues[in]->back : place_at(places, after)->prev;

        while (next == 0 && queues[++in] != NULL)
                next = queues[in]->back;
        return next;
}

#endif
