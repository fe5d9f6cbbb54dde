/* Reuse distances of the sampled keys: at which of a few sizes of memory would LRU have had a key? The stack of
 * SHARDS (Waldspurger, Park, Garthwaite, Ahmad: Efficient MRC Construction with SHARDS, FAST 2015); the sampling itself
 * is in cache/whatif.c. Not thread-safe. Private to cache/. */
#ifndef CACHE_REUSE_H
#define CACHE_REUSE_H

#include "cache/sampled_keys.h"

/* What a cache may hold. UINT64_MAX: any number. */
struct reuse_limit {
        uint64_t count;
        uint64_t bytes;
};

struct reuse_zone {
        place_ref last; /* the least recently used key that a cache of this size has; 0: it has none */
        uint64_t count; /* of all that it has: of this zone and those before */
        uint64_t bytes;
        struct reuse_limit limit;
};

struct reuse {
        struct sampled_keys *keys;
        place_ref front; /* the key used last */
        struct reuse_zone zones[IMAGINED_SIZES];
};

/* An empty stack of nothing: reuse_limit gives it its sizes. Nothing to deinit. */
void reuse_init(struct reuse *reuse, struct sampled_keys *keys);

/* The limits of the caches, smallest first, each no smaller than the one before. Keys are sorted into zones anew; those
 * beyond the largest are let go. */
void reuse_limit(struct reuse *reuse, const struct reuse_limit limits[IMAGINED_SIZES]);

/* A key that is in no zone comes in, as used now. */
void reuse_push(struct reuse *reuse, place_ref ref);
/* A key that is in a zone is used. Its zone was the answer to the question above. */
void reuse_touch(struct reuse *reuse, place_ref ref);
/* A key that is in a zone goes out; its table is not told. */
void reuse_take(struct reuse *reuse, place_ref ref);
/* `to`, a copy of `from` but for its weight, stands where that stood. */
void reuse_replace(struct reuse *reuse, place_ref from, place_ref to);

#endif
