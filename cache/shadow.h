/* A shadow: which of the sampled keys a cache of another policy would have. The policy is the very code that orders the
 * entries of L1; here it orders an array of places, one beside each sampled key. Not thread-safe. Private to cache/. */
#ifndef CACHE_SHADOW_H
#define CACHE_SHADOW_H

#include "cache/sampled_keys.h"

struct shadow {
        struct sampled_keys *keys;
        struct places places;
        struct policy *policy;
        uint8_t bit; /* of sampled_key.holders */
        uint64_t count;
        uint64_t bytes;
        uint64_t max_count; /* UINT64_MAX: any number */
        uint64_t max_bytes;
};

/* An empty shadow with room for nothing (shadow_limit gives it some), number `number` of those over `keys`. ERR_NOMEM:
 * nothing to deinit then. */
enum err shadow_init(
        struct shadow *shadow, const struct policy_ops *ops, struct sampled_keys *keys, unsigned number) MUST_CHECK;
void shadow_deinit(struct shadow *shadow);

static inline bool shadow_has(const struct shadow *shadow, place_ref ref)
{
        return (sampled_key_at(shadow->keys, ref)->holders & shadow->bit) != 0;
}

/* The key, which the shadow has, is hit. */
void shadow_use(struct shadow *shadow, place_ref ref);
/* The key, which the shadow has not, comes in; others make room for it as in L1. One that is too heavy stays out. */
void shadow_put(struct shadow *shadow, place_ref ref);
/* The key, which the shadow has, goes out though there is room; its table is not told. */
void shadow_take(struct shadow *shadow, place_ref ref);
/* `to`, a copy of `from`, which the shadow has, but for its weight, takes over its place. */
void shadow_replace(struct shadow *shadow, place_ref from, place_ref to);
/* New limits; evicts down to them. */
void shadow_limit(struct shadow *shadow, uint64_t max_count, uint64_t max_bytes);

#endif
