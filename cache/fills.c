#include "cache/fills.h"

#include "base/hash.h"
#include "base/mem.h"

#include <pthread.h>

enum { SHARDS = 16 }; /* workers rarely meet at one lock, which is held for a few dozen instructions */

struct shard {
        pthread_mutex_t lock; /* lock class "fill_shard": a leaf, nothing else is locked under it */
        struct fill **heads;
} __attribute__((aligned(64)));

struct fills {
        struct shard shards[SHARDS];
        size_t mask; /* buckets per shard, less one; fixed: `max` bounds the chains */
        struct fills_config config;
        _Atomic uint32_t in_flight;
};

static size_t buckets_for(uint32_t max)
{
        size_t n = 1;

        while (n * SHARDS < max)
                n *= 2;
        return n;
}

enum err fills_create(struct fills **out, const struct fills_config *config)
{
        struct fills *fills = vc_calloc_aligned(_Alignof(struct fills), 1, sizeof(*fills));

        *out = NULL;
        if (fills == NULL)
                return ERR_NOMEM;
        fills->mask = buckets_for(config->max) - 1;
        fills->config = *config;
        for (int i = 0; i < SHARDS; i++)
                (void)pthread_mutex_init(&fills->shards[i].lock, NULL);
        for (int i = 0; i < SHARDS; i++) {
                fills->shards[i].heads = vc_calloc(fills->mask + 1, sizeof(struct fill *));
                if (fills->shards[i].heads == NULL) {
                        fills_destroy(&fills);
                        return ERR_NOMEM;
                }
        }
        *out = fills;
        return OK;
}

void fills_destroy(struct fills **out)
{
        struct fills *fills = *out;

        *out = NULL;
        if (fills == NULL)
                return;
        VC_ASSERT(fills_in_flight(fills) == 0);
        for (int i = 0; i < SHARDS; i++) {
                vc_free(fills->shards[i].heads);
                pthread_mutex_destroy(&fills->shards[i].lock);
        }
        vc_free(fills);
}

uint32_t fills_in_flight(const struct fills *fills)
{
        return atomic_load_explicit(&fills->in_flight, memory_order_relaxed);
}

static struct shard *shard_of(struct fills *fills, uint64_t hash)
{
        return &fills->shards[(hash >> 32) % SHARDS];
}

/* ---- the table; with the shard's lock held ---- */

static struct fill **head_of(struct fills *fills, uint64_t hash)
{
        return &shard_of(fills, hash)->heads[hash & fills->mask];
}

/* Who answers is not known before it is done: where the primary has to, only a fill that says so, or can still be told,
 * will do. One that may turn out to be a check of a copy has an answer in that copy's format only. */
static bool may_join(const struct fills *fills, const struct fill *fill, const struct fill_request *request)
{
        const struct fill_origin origin = {.sent = fill->sent, .primary = true};

        if (fill->known != NULL && fill->known->format != request->format)
                return false;
        if (request->primary_only && !fill->read.primary_only && fill->state != FILL_QUEUED)
                return false;
        return fill_rule_may_join(fill_rule_fit(&origin, request->now), request->bound, fills->config.always_certain);
}

/* The newest come first in a chain, so of several fills of one key the newest is found. */
static struct fill *find_locked(struct fills *fills, uint64_t hash, const struct fill_request *request)
{
        struct slice key = cache_key_of_fill(request->key);

        for (struct fill *f = *head_of(fills, hash); f != NULL; f = f->chain)
                if (f->hash == hash && slice_equal(slice_of(f->key, f->key_len), key) && may_join(fills, f, request))
                        return f;
        return NULL;
}

static void unlink_locked(struct fills *fills, struct fill *fill)
{
        struct fill **at = head_of(fills, fill->hash);

        while (*at != fill) {
                VC_ASSERT(*at != NULL); /* what is not DONE is in the table */
                at = &(*at)->chain;
        }
        *at = fill->chain;
        fill->chain = NULL;
}

static void join_locked(struct fill *fill, const struct fill_request *request)
{
        if (fill->state == FILL_QUEUED && request->primary_only)
                fill->read.primary_only = true;
        list_push_back(&fill->waiters, request->waiter);
        fill->wanted |= 1u << request->format;
        atomic_fetch_add_explicit(&fill->refs, 1, memory_order_relaxed);
}

static enum err start_locked(struct fills *fills, uint64_t hash, const struct fill_request *request, struct fill **out)
{
        struct fill **head = head_of(fills, hash);
        struct fill *fill;

        if (atomic_fetch_add_explicit(&fills->in_flight, 1, memory_order_relaxed) >= fills->config.max) {
                atomic_fetch_sub_explicit(&fills->in_flight, 1, memory_order_relaxed);
                return ERR_BUSY;
        }
        fill = fill_create(request, hash);
        if (fill == NULL) {
                atomic_fetch_sub_explicit(&fills->in_flight, 1, memory_order_relaxed);
                return ERR_NOMEM;
        }
        fill->chain = *head;
        *head = fill;
        *out = fill;
        return OK;
}

/* ---- the calls ---- */

enum err fills_join_or_start(struct fills *fills, const struct fill_request *request, struct fill **out, bool *started)
{
        uint64_t hash = hash64(cache_key_of_fill(request->key), fills->config.seed);
        struct shard *shard = shard_of(fills, hash);
        enum err rc = OK;

        *out = NULL;
        pthread_mutex_lock(&shard->lock);
        *out = find_locked(fills, hash, request);
        *started = *out == NULL;
        if (*started)
                rc = start_locked(fills, hash, request, out);
        if (rc == OK)
                join_locked(*out, request);
        pthread_mutex_unlock(&shard->lock);
        return rc;
}

void fills_sent(struct fills *fills, struct fill *fill, struct nanos now)
{
        struct shard *shard = shard_of(fills, fill->hash);

        pthread_mutex_lock(&shard->lock);
        VC_ASSERT(fill->state == FILL_QUEUED);
        fill->state = FILL_SENT;
        fill->sent = now;
        pthread_mutex_unlock(&shard->lock);
}

uint32_t fills_wanted(struct fills *fills, struct fill *fill)
{
        struct shard *shard = shard_of(fills, fill->hash);
        uint32_t wanted;

        pthread_mutex_lock(&shard->lock);
        wanted = fill->wanted;
        pthread_mutex_unlock(&shard->lock);
        return wanted;
}

bool fills_close(struct fills *fills, struct fill *fill, uint32_t made, struct list *waiters)
{
        struct shard *shard = shard_of(fills, fill->hash);
        bool closes;

        list_init(waiters);
        pthread_mutex_lock(&shard->lock);
        VC_ASSERT(fill->state == FILL_SENT);
        closes = (fill->wanted & ~made) == 0;
        if (closes) {
                fill->state = FILL_DONE;
                unlink_locked(fills, fill);
                list_splice_back(waiters, &fill->waiters);
        }
        pthread_mutex_unlock(&shard->lock);
        if (!closes)
                return false;
        atomic_fetch_sub_explicit(&fills->in_flight, 1, memory_order_relaxed);
        fill_release(&fill);
        return true;
}
