/* L1: entries in this process's own memory. Sharded by key hash; LRU (or another policy, cache/policy.h) per shard;
 * bounded by bytes and by entries; expiry is absolute. It stores bytes with their stamp and judges nothing: whether an
 * entry may answer is freshness_check's business. */
#ifndef CACHE_L1_H
#define CACHE_L1_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "invalidation/stamp.h"

struct l1;
struct l1_entry; /* reference-counted; immutable but for its place in the policy */

struct l1_config {
        uint64_t max_bytes;   /* of memory as the process grows, not of payload */
        uint64_t max_entries; /* 0: bytes alone decide */
        uint32_t shards;      /* a power of two */
        const char *policy;   /* "lru" */
        uint64_t seed;
};

/* What an entry holds; slices borrow from it. */
struct l1_view {
        struct slice key;
        struct slice value;      /* ready-made in its wire format; empty with found == false */
        bool found;              /* false: a negative entry: no such student */
        uint32_t type_index;
        struct stamp stamp;
        struct nanos filled;     /* when the read that made it was sent */
        uint32_t fill_micros;    /* what that read cost */
};

struct l1_usage {
        uint64_t entries;
        uint64_t bytes;
        uint64_t max_entries;
        uint64_t max_bytes;
};

enum err l1_create(struct l1 **out, const struct l1_config *config, struct err_msg *msg) MUST_CHECK;
void l1_destroy(struct l1 **l1);

/* Looks up `key`. On a find *out borrows the entry until l1_release(), and the entry counts as used. No allocation, no
 * system call; may wait for the shard's short lock. Any thread. */
bool l1_get(struct l1 *l1, struct slice key, struct l1_entry **out) MUST_CHECK;
/* As l1_get, but does not count as a use (EXPLAIN, TTL). */
bool l1_peek(struct l1 *l1, struct slice key, struct l1_entry **out) MUST_CHECK;
struct l1_view l1_view_of(const struct l1_entry *entry);
void l1_release(struct l1_entry **entry);

/* Stores a copy of all that `view` holds, in place of an entry of the same key unless that one is of a newer position of
 * the same epoch. Evicts by policy to stay within its bounds. ERR_NOMEM, ERR_LIMIT (larger than a shard may hold): the
 * cache is as before then, without any entry of that key. Any thread. */
enum err l1_put(struct l1 *l1, const struct l1_view *view) MUST_CHECK;

/* Removes `key` if it is there. Any thread. */
bool l1_remove(struct l1 *l1, struct slice key);

/* New bounds, from now on; evicts down to them. Any thread. */
void l1_resize(struct l1 *l1, uint64_t max_bytes, uint64_t max_entries);
void l1_usage(const struct l1 *l1, struct l1_usage *out);

#endif
