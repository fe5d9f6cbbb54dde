/* One shard of L1: a table, the order of use and the lock that guards both. Private to cache/.
 *
 * The lock is a pthread mutex, not a spinlock: held for a few dozen instructions it is as cheap (uncontended lock and
 * unlock are one atomic each and no system call), and when its holder loses the processor in the middle, waiters sleep
 * instead of burning the time slice that the holder needs; worker threads are as many as cores, so that does happen. */
#ifndef CACHE_L1_SHARD_H
#define CACHE_L1_SHARD_H

#include "cache/entry_table.h"

#include <pthread.h>

/* What L1 holds over all its shards; kept in step by each shard within its lock. */
struct l1_account {
        _Atomic uint64_t bytes;
        _Atomic uint64_t entries;
};

struct l1_shard {
        pthread_mutex_t lock; /* lock class "l1_shard": a leaf, nothing else is locked under it */
        struct entry_table table;
        struct list uses; /* of entries' places, the last used first: the back goes when there is no room */
        struct l1_account *account;
} __attribute__((aligned(64))); /* shards of two cores share no cache line */

/* ERR_NOMEM: nothing to deinit then. */
enum err l1_shard_init(struct l1_shard *shard, struct l1_account *account) MUST_CHECK;
/* Releases all entries. No one may use the shard any more; entries that are held live on until released. */
void l1_shard_deinit(struct l1_shard *shard);

/* The entry with a reference for the caller, or NULL. `use`: it counts as used. Allocates nothing. Any thread. */
struct l1_entry *l1_shard_get(struct l1_shard *shard, uint32_t hash, struct slice key, bool use);

/* Unlinks the entry of that key, if there is one; its reference is the caller's then, else NULL. Any thread. */
struct l1_entry *l1_shard_take(struct l1_shard *shard, uint32_t hash, struct slice key);

/* As l1_shard_take for the key of `than`, but leaves an entry that is newer than `than` (entry_is_newer), and says so
 * in *newer. Any thread. */
struct l1_entry *l1_shard_take_older(struct l1_shard *shard, const struct l1_entry *than, bool *newer);

/* Links `entry`, whose reference goes to the shard. Returns the loser, for the caller to release: an older entry of the
 * same key, or `entry` itself if a newer one is there; NULL when there was no other. Any thread. */
struct l1_entry *l1_shard_insert(struct l1_shard *shard, struct l1_entry *entry) MUST_CHECK;

/* Unlinks the entry that was not used for longest; its reference is the caller's then. NULL when the shard is empty.
 * Any thread. */
struct l1_entry *l1_shard_evict(struct l1_shard *shard);

#endif
