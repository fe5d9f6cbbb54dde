/* Problem: in most caches most keys are asked for once and never again while they are there. They should go quickly,
 * and cost little until then.
 *
 * Idea: three queues, first in first out. Newcomers enter `small`, a tenth of the cache. At its end, who was used more
 * than once goes on to `main`; the others go, and are remembered as ghosts: as many as there are in `main`. A key that
 * comes back while it is a ghost was sent away too early and enters `main` at once. In `main` who was used since the
 * last time goes round again, once for each use, up to three.
 *
 * Why not LRU queues: a hit would move its place. Here it counts to three in the place itself and, when it is there,
 * stores nothing. Why not one queue, as "sieve": a long scan goes round its whole queue once; here it only passes
 * through a tenth.
 *
 * Cost: 14 to 20 bytes for each ghost (cache/ghosts.c). A place goes through `small` once and round `main` three times
 * at most without being used, so a victim costs O(1) on average.
 *
 * Source: Yang, Zhang, Qiu, Yue, Rashmi: FIFO Queues are All You Need for Cache Eviction. SOSP 2023. */
#include "cache/policy_s3fifo.h"

#include "base/mem.h"
#include "cache/ghosts.h"
#include "cache/place_queue.h"

enum {
        SMALL_SHARE = 10, /* `small` has one part in so many */
        USES_MAX = 3,     /* counted so far */
        USES_TO_STAY = 2  /* of a newcomer, to go on to `main` */
};

/* place.state: the uses in the lower bits, and the queue. */
enum { USES_MASK = 3, IN_MAIN = 4 };

struct s3fifo {
        struct policy policy;
        struct place_queue small;
        struct place_queue main;
        struct ghosts ghosts;
        uint32_t returning; /* the hash of a ghost for which room was asked; 0: of none */
};

static struct s3fifo *s3fifo_of(struct policy *policy)
{
        VC_ASSERT(policy->magic == POLICY_MAGIC && policy->ops == &policy_s3fifo);
        return (struct s3fifo *)(void *)policy;
}

static enum err s3fifo_create(struct policy **out, const struct places *places)
{
        struct s3fifo *s = vc_calloc(1, sizeof(*s));

        *out = NULL;
        if (s == NULL)
                return ERR_NOMEM;
        s->policy = (struct policy){.magic = POLICY_MAGIC, .ops = &policy_s3fifo, .places = places};
        *out = &s->policy;
        return OK;
}

static struct place_queue *queue_of(struct s3fifo *s, const struct place *place)
{
        return (place->state & IN_MAIN) != 0 ? &s->main : &s->small;
}

static uint32_t count_of(const struct s3fifo *s)
{
        return s->small.count + s->main.count;
}

/* Whether the next to be judged is the oldest of `small`, not that of `main`: one more place would be more than its
 * share. (Of places that weigh the same it has a tenth of their number, rounded down.) */
static bool small_has_its_share(const struct s3fifo *s)
{
        uint64_t weight = s->small.weight + s->main.weight;
        bool full = s->small.weight + weight / count_of(s) > weight / SMALL_SHARE;

        return s->main.count == 0 || (full && s->small.count > 0);
}

static void enter_main(struct s3fifo *s, place_ref ref)
{
        place_at(s->policy.places, ref)->state = IN_MAIN;
        place_queue_push(&s->main, s->policy.places, ref);
}

/* Whether the key of that hash went lately. Room may have been asked for it before: it was recalled then, lest those
 * who went for it push it out. */
static bool comes_back(struct s3fifo *s, uint32_t hash)
{
        bool recalled = s->returning == hash && hash != 0;

        s->returning = 0;
        return recalled || ghosts_recall(&s->ghosts, hash);
}

static void s3fifo_added(struct policy *policy, place_ref ref)
{
        struct s3fifo *s = s3fifo_of(policy);
        struct place *place = place_at(policy->places, ref);
        uint32_t count = count_of(s) + 1;

        if (comes_back(s, place->hash)) {
                enter_main(s, ref);
        } else {
                place->state = 0;
                place_queue_push(&s->small, policy->places, ref);
        }
        ghosts_fit(&s->ghosts, count - count / SMALL_SHARE);
}

static void s3fifo_used(struct policy *policy, place_ref ref)
{
        struct place *place = place_at(policy->places, ref);

        if ((place->state & USES_MASK) < USES_MAX)
                place->state++;
}

static void s3fifo_removed(struct policy *policy, place_ref ref, bool evicted)
{
        struct s3fifo *s = s3fifo_of(policy);
        const struct place *place = place_at(policy->places, ref);

        if (evicted && (place->state & IN_MAIN) == 0)
                ghosts_remember(&s->ghosts, place->hash);
        place_queue_remove(queue_of(s, place), policy->places, ref);
}

static void s3fifo_replaced(struct policy *policy, place_ref from, place_ref to)
{
        struct s3fifo *s = s3fifo_of(policy);

        place_queue_replace(queue_of(s, place_at(policy->places, from)), policy->places, from, to);
}

/* The oldest newcomer, if it has not proved itself; else it goes on to `main`, and 0 is returned. */
static place_ref try_small(struct s3fifo *s)
{
        place_ref at = s->small.back;

        if (place_at(s->policy.places, at)->state < USES_TO_STAY)
                return at;
        place_queue_remove(&s->small, s->policy.places, at);
        enter_main(s, at);
        return 0;
}

/* The oldest of `main`, if it was not used; else it goes round once more, and 0 is returned. */
static place_ref try_main(struct s3fifo *s)
{
        place_ref at = s->main.back;
        struct place *place = place_at(s->policy.places, at);

        if ((place->state & USES_MASK) == 0)
                return at;
        place->state--;
        place_queue_to_front(&s->main, s->policy.places, at);
        return 0;
}

static place_ref s3fifo_victim(struct policy *policy, uint32_t for_hash)
{
        struct s3fifo *s = s3fifo_of(policy);
        place_ref victim = 0;

        if (for_hash != 0 && ghosts_recall(&s->ghosts, for_hash))
                s->returning = for_hash;
        while (victim == 0 && count_of(s) > 0)
                victim = small_has_its_share(s) ? try_small(s) : try_main(s);
        return victim;
}

static place_ref s3fifo_walk(const struct policy *policy, place_ref after)
{
        const struct s3fifo *s = (const struct s3fifo *)(const void *)policy;
        const struct place_queue *const queues[] = {&s->small, &s->main, NULL};
        bool in_main = after != 0 && (place_at(policy->places, after)->state & IN_MAIN) != 0;

        return place_queues_walk(queues, policy->places, in_main, after);
}

static uint64_t s3fifo_bytes(const struct policy *policy)
{
        return vc_footprint(policy) + ghosts_bytes(&((const struct s3fifo *)(const void *)policy)->ghosts);
}

static void s3fifo_destroy(struct policy **policy)
{
        if (*policy != NULL)
                ghosts_deinit(&s3fifo_of(*policy)->ghosts);
        vc_free(*policy);
        *policy = NULL;
}

const struct policy_ops policy_s3fifo = {
        .name = "s3fifo",
        .create = s3fifo_create,
        .added = s3fifo_added,
        .used = s3fifo_used,
        .removed = s3fifo_removed,
        .replaced = s3fifo_replaced,
        .victim = s3fifo_victim,
        .walk = s3fifo_walk,
        .bytes = s3fifo_bytes,
        .destroy = s3fifo_destroy,
};
