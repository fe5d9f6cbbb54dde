/* Problem: LRU and its kin let every newcomer in at somebody's cost. Where favourites are stable, it is better to ask
 * first: was the newcomer asked for more often than the one that would have to go?
 *
 * Idea: the frequency of all keys lately, also of those that are not here, is kept in a sketch (cache/sketch.c).
 * Newcomers enter `window`, an LRU queue of 1 % of the cache, in which a burst can live without a history. Who leaves
 * it is compared with who would leave the main part, and the one that was asked for less often goes; if they are even,
 * the newcomer. The main part is an LRU in two segments: who is used in `probation` moves to `protected`, four fifths
 * of the main part, whose oldest fall back into `probation`.
 *
 * Why not plain LFU: old favourites would never leave. The sketch is halved now and then, so history fades.
 *
 * Where it is weak: workloads of recency. What is new has no frequency, so where favourites shift quickly and the
 * cache is small, it holds on to the past (docs/CACHING.md).
 *
 * Until room is needed for the first time nothing is contested: who leaves the window enters `probation`. The same
 * holds when the bounds were raised.
 *
 * Cost: a hit moves a place, and counts in the sketch: a line of memory and some 140 instructions more than LRU.
 * 8 to 16 bytes for each entry.
 *
 * Source: Einziger, Friedman, Manes: TinyLFU: A Highly Efficient Cache Admission Policy. ACM ToS 13(4), 2017. */
#include "cache/policy_wtinylfu.h"

#include "base/mem.h"
#include "cache/place_queue.h"
#include "cache/sketch.h"

enum {
        WINDOW_SHARE = 100,     /* `window` has one part in so many of the whole */
        PROTECTED_PERCENT = 80, /* of the main part */
        MOVES_MAX = 4           /* from queue to queue in one call: what is left is made up for by the next */
};

/* place.state: which queue. In the order in which they would go. */
enum { PROBATION, WINDOW, PROTECTED, QUEUES };

struct wtinylfu {
        struct policy policy;
        struct place_queue queues[QUEUES];
        struct sketch sketch;
        uint64_t full; /* the weight when room was needed last */
};

static struct wtinylfu *wtinylfu_of(struct policy *policy)
{
        VC_ASSERT(policy->magic == POLICY_MAGIC && policy->ops == &policy_wtinylfu);
        return (struct wtinylfu *)(void *)policy;
}

static enum err wtinylfu_create(struct policy **out, const struct places *places)
{
        struct wtinylfu *w = vc_calloc(1, sizeof(*w));

        *out = NULL;
        if (w == NULL)
                return ERR_NOMEM;
        w->policy = (struct policy){.magic = POLICY_MAGIC, .ops = &policy_wtinylfu, .places = places};
        *out = &w->policy;
        return OK;
}

static void move(struct wtinylfu *w, place_ref ref, uint8_t to)
{
        struct place *place = place_at(w->policy.places, ref);

        place_queue_remove(&w->queues[place->state], w->policy.places, ref);
        place->state = to;
        place_queue_push(&w->queues[to], w->policy.places, ref);
}

static uint64_t main_weight(const struct wtinylfu *w)
{
        return w->queues[PROBATION].weight + w->queues[PROTECTED].weight;
}

static uint64_t weight_of(const struct wtinylfu *w)
{
        return main_weight(w) + w->queues[WINDOW].weight;
}

static uint32_t count_of(const struct wtinylfu *w)
{
        return w->queues[PROBATION].count + w->queues[PROTECTED].count + w->queues[WINDOW].count;
}

static bool window_has_its_share(const struct wtinylfu *w)
{
        return w->queues[WINDOW].weight >= weight_of(w) / WINDOW_SHARE;
}

/* ---- what comes in, and is used ---- */

static void wtinylfu_added(struct policy *policy, place_ref ref)
{
        struct wtinylfu *w = wtinylfu_of(policy);
        struct place *place = place_at(policy->places, ref);
        bool growing = weight_of(w) > w->full + w->full / 16;

        for (int i = 0; growing && i < MOVES_MAX && w->queues[WINDOW].count > 0 && window_has_its_share(w); i++)
                move(w, w->queues[WINDOW].back, PROBATION);
        place->state = WINDOW;
        place_queue_push(&w->queues[WINDOW], policy->places, ref);
        sketch_fit(&w->sketch, count_of(w));
        sketch_count(&w->sketch, place->hash);
}

static void protect(struct wtinylfu *w, place_ref ref)
{
        uint64_t most = main_weight(w) * PROTECTED_PERCENT / 100;

        move(w, ref, PROTECTED);
        for (int i = 0; i < MOVES_MAX && w->queues[PROTECTED].weight > most; i++)
                move(w, w->queues[PROTECTED].back, PROBATION);
}

static void wtinylfu_used(struct policy *policy, place_ref ref)
{
        struct wtinylfu *w = wtinylfu_of(policy);
        const struct place *place = place_at(policy->places, ref);

        sketch_count(&w->sketch, place->hash);
        if (place->state == PROBATION)
                protect(w, ref);
        else if (w->queues[place->state].front != ref)
                place_queue_to_front(&w->queues[place->state], policy->places, ref);
}

/* ---- what goes ---- */

static void wtinylfu_removed(struct policy *policy, place_ref ref, bool evicted)
{
        (void)evicted;
        place_queue_remove(&wtinylfu_of(policy)->queues[place_at(policy->places, ref)->state], policy->places, ref);
}

static void wtinylfu_replaced(struct policy *policy, place_ref from, place_ref to)
{
        struct wtinylfu *w = wtinylfu_of(policy);

        place_queue_replace(&w->queues[place_at(policy->places, from)->state], policy->places, from, to);
}

static unsigned frequency_of(const struct wtinylfu *w, place_ref ref)
{
        return sketch_estimate(&w->sketch, place_at(w->policy.places, ref)->hash);
}

/* Who would go first of the main part; 0: it is empty. */
static place_ref victim_of_main(const struct wtinylfu *w)
{
        return w->queues[PROBATION].back != 0 ? w->queues[PROBATION].back : w->queues[PROTECTED].back;
}

static place_ref wtinylfu_victim(struct policy *policy, uint32_t for_hash)
{
        struct wtinylfu *w = wtinylfu_of(policy);
        place_ref victim = victim_of_main(w);

        (void)for_hash;
        w->full = weight_of(w);
        for (int i = 0; i < MOVES_MAX && w->queues[WINDOW].count > 0 && window_has_its_share(w); i++) {
                place_ref candidate = w->queues[WINDOW].back;

                if (victim == 0 || frequency_of(w, candidate) <= frequency_of(w, victim))
                        return candidate;
                move(w, candidate, PROBATION);
        }
        return victim != 0 ? victim : w->queues[WINDOW].back;
}

static place_ref wtinylfu_walk(const struct policy *policy, place_ref after)
{
        const struct wtinylfu *w = (const struct wtinylfu *)(const void *)policy;
        const struct place_queue *const queues[] = {
                &w->queues[PROBATION], &w->queues[WINDOW], &w->queues[PROTECTED], NULL};

        return place_queues_walk(
                queues, policy->places, after == 0 ? 0 : place_at(policy->places, after)->state, after);
}

static uint64_t wtinylfu_bytes(const struct policy *policy)
{
        return vc_footprint(policy) + sketch_bytes(&((const struct wtinylfu *)(const void *)policy)->sketch);
}

static void wtinylfu_destroy(struct policy **policy)
{
        if (*policy != NULL)
                sketch_deinit(&wtinylfu_of(*policy)->sketch);
        vc_free(*policy);
        *policy = NULL;
}

const struct policy_ops policy_wtinylfu = {
        .name = "wtinylfu",
        .create = wtinylfu_create,
        .added = wtinylfu_added,
        .used = wtinylfu_used,
        .removed = wtinylfu_removed,
        .replaced = wtinylfu_replaced,
        .victim = wtinylfu_victim,
        .walk = wtinylfu_walk,
        .bytes = wtinylfu_bytes,
        .destroy = wtinylfu_destroy,
};
