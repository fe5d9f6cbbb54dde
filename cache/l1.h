/* L1: entries in this process's own memory. Sharded by key hash; LRU (or another policy, cache/policy.h) per shard;
 * bounded by bytes and by entries over all shards; expiry is absolute. It stores bytes with their stamp and judges
 * nothing: whether an entry may answer is freshness_check's business. So an entry that may no longer answer stays until
 * a newer state replaces it or the policy evicts it (it may serve ALLOWSTALE till then); counters tell these apart:
 * l1_expirations (its time had passed when it went), l1_deletes (replaced or removed before), l1_evictions. */
#ifndef CACHE_L1_H
#define CACHE_L1_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "invalidation/stamp.h"

struct l1;
struct l1_entry; /* reference-counted; immutable but for its place in the policy */

struct l1_config {
        uint64_t max_bytes;   /* of memory, not of payload; an entry is at most 1/8 of it */
        uint64_t max_entries; /* 0: bytes alone decide */
        uint32_t shards;      /* a power of two */
        const char *policy;   /* one of policy_names(), to begin with */
        uint64_t seed;        /* of the keys' hash; drawn at start, so that nobody outside can choose colliding keys */
};

/* What an entry holds; slices borrow from it. */
struct l1_view {
        struct slice key;
        struct slice value; /* ready-made in its wire format; empty with found == false */
        bool found;         /* false: a negative entry: no such student */
        bool from_replica;  /* read there, and not checked since */
        uint32_t type_index;
        struct stamp stamp;   /* but for the tags: they follow from the key (tag_slots), and no entry keeps any */
        struct nanos filled;  /* when the read that made it, or the last check of it, was sent; kept to the millisecond,
                                 rounded down: nothing looks younger than it is. At most `expires` */
        uint32_t fill_micros; /* what that read cost; kept to a thousandth */
        /* What the data contains, so that the source can be asked whether it still is as it was; NULL: not kept. In a
         * view of an entry always NULL: l1_snapshot_of() has it. */
        const struct snapshot *snapshot;
};

struct whatif_report;

struct l1_sampling {
        uint32_t samples;            /* keys; the more, the sharper the figures, and the dearer */
        struct nanos half_life;      /* what was looked up so long ago counts half */
        struct nanos (*clock)(void); /* clock_boot; tests bring their own */
};

struct l1_usage {
        uint64_t entries;
        uint64_t bytes;       /* what entries, tables and policies take; what max_bytes bounds */
        uint64_t resident;    /* memory that the process has for them: more, by what lies free between entries */
        uint64_t max_entries; /* 0: no bound */
        uint64_t max_bytes;
};

/* ERR_CONFIG (no such policy), ERR_NOMEM; *out is NULL then. */
enum err l1_create(struct l1 **out, const struct l1_config *config, struct err_msg *msg) MUST_CHECK;
/* Frees all; nulls; NULL-safe. No one may use it, or hold an entry, any more. */
void l1_destroy(struct l1 **l1);

/* Looks up `key`. On a find *out borrows the entry until l1_release(), and the entry counts as used. No allocation, no
 * system call (keys of the sample of l1_sample apart); may wait for the shard's short lock. Any thread. */
bool l1_get(struct l1 *l1, struct slice key, struct l1_entry **out) MUST_CHECK;
/* As l1_get, but does not count as a use (EXPLAIN, TTL). */
bool l1_peek(struct l1 *l1, struct slice key, struct l1_entry **out) MUST_CHECK;

/* For one who knows several keys before he needs the first: each key's hash now, with l1_prefetch() right after it, a
 * round of l1_prefetch_entry() when all are hashed, then l1_get_hashed(), which does not hash again. The two only ask
 * the processor to load what l1_get will touch: first where the table has the entry, then the entry. Any thread; no
 * lock, no effect that could be seen. */
uint64_t l1_hash(const struct l1 *l1, struct slice key);
void l1_prefetch(const struct l1 *l1, uint64_t hash);
void l1_prefetch_entry(const struct l1 *l1, uint64_t hash);
/* As l1_get; `hash` is l1_hash() of the key. */
bool l1_get_hashed(struct l1 *l1, struct slice key, uint64_t hash, struct l1_entry **out) MUST_CHECK;

/* What the entry holds; borrowed until it is released. Pure. */
struct l1_view l1_view_of(const struct l1 *l1, const struct l1_entry *entry);
/* Copies an entry's snapshot into *out; false: it has none. Pure. */
bool l1_snapshot_of(const struct l1_entry *entry, struct snapshot *out) MUST_CHECK;
/* Borrows an entry once more, for another l1_release(). */
struct l1_entry *l1_hold(struct l1_entry *entry);
/* Lets go of an entry and nulls the pointer; NULL-safe. Any thread; a short lock only where the entry has left L1 and
 * this was the last to hold it. */
void l1_release(struct l1 *l1, struct l1_entry **entry);

/* The entry that was found just now must not answer: for the sample, it was a miss. Any thread. */
void l1_stale(struct l1 *l1, const struct l1_entry *entry);

/* Stores a copy of all that `view` holds, in place of an entry of the same key unless that one is of a newer position
 * of the same history (OK as well: then what is there is better). Evicts by policy to stay within its bounds;
 * view->filled is the time by which it counts an evicted entry as expired. ERR_NOMEM, ERR_LIMIT (larger than an eighth
 * of max_bytes, or no room even with all else evicted): there is no entry of that key then. Any thread. */
enum err l1_put(struct l1 *l1, const struct l1_view *view) MUST_CHECK;

/* Removes `key` and says whether it was there. Any thread. */
bool l1_remove(struct l1 *l1, struct slice key);

/* New bounds, from now on; evicts down to them, and gives the system each whole page that is free then. max_bytes can
 * be raised to what was reserved at the start: 16 GB, or half as much again as max_bytes was. Any thread. */
void l1_resize(struct l1 *l1, uint64_t max_bytes, uint64_t max_entries);
/* Which entry makes room from now on; entries stay, and their order is handed over as new ones come in. "auto" follows
 * what does best in the sample of l1_sample, which there must be. ERR_CONFIG: there is no such policy. Any thread. */
enum err l1_set_policy(struct l1 *l1, const char *name) MUST_CHECK;
/* The policy that is followed now, never "auto". Any thread; lives for ever. */
const char *l1_policy(const struct l1 *l1);

/* Begins to sample what is looked up (cache/whatif.h). Once, before others use it. ERR_NOMEM. */
enum err l1_sample(struct l1 *l1, const struct l1_sampling *sampling) MUST_CHECK;
/* Whether it is to go on for l1_whatif's sake; "auto" needs it anyway. Any thread. */
void l1_keep_sampling(struct l1 *l1, bool wanted);
/* What other sizes and policies would hit. False: there is no sample. Any thread; may wait for a short lock. */
bool l1_whatif(struct l1 *l1, struct whatif_report *out) MUST_CHECK;

/* Present size and bounds. Each figure is exact; together they are a moment's picture. Any thread; no lock. */
void l1_usage(const struct l1 *l1, struct l1_usage *out);

#endif
