/* One shard of L1: a table, a policy and the lock that guards both. Private to cache/.
 *
 * The lock (base/lock.h) is no spinlock: held for a few dozen instructions it is as cheap (uncontended lock and unlock
 * are one atomic each and no system call), and when its holder loses the processor in the middle, waiters sleep instead
 * of burning the time slice that the holder needs; worker threads are as many as cores, so that does happen. */
#ifndef CACHE_L1_SHARD_H
#define CACHE_L1_SHARD_H

#include "base/lock.h"
#include "cache/entry_table.h"
#include "cache/order.h"
#include "cache/whatif_report.h"

/* What L1 holds over all its shards, beside what is in the arena; kept in step by each shard within its lock. */
struct l1_account {
        _Atomic uint64_t policy_bytes;
        _Atomic uint64_t entries;
};

struct l1_shard {
        struct lock lock; /* lock class "l1_shard": under it the arena's alone is taken */
        struct entry_table table;
        struct order order;
        struct l1_account *account;
        struct whatif_totals totals; /* of l1_shard_get with `use` */
} __attribute__((aligned(64)));      /* shards of two cores share no cache line */

/* A key and the bits of its hash that choose its bucket. */
struct l1_key {
        struct slice bytes;
        uint32_t hash;
};

/* How an entry that is to be stored stands to what there is. */
struct l1_standing {
        bool newer;   /* there is one of its key that must not be replaced (entry_is_newer) */
        bool present; /* there is one that it will replace, */
        size_t size;  /* of which so much of the arena comes back */
};

/* ERR_NOMEM: nothing to deinit then. Borrows `home` and `account`. */
enum err l1_shard_init(struct l1_shard *shard, struct entry_home *home, const struct policy_ops *policy,
        struct l1_account *account) MUST_CHECK;
/* Releases all entries. No one may use the shard, or hold an entry of it, any more. */
void l1_shard_deinit(struct l1_shard *shard);

/* The entry with a reference for the caller, or NULL. `use`: it counts as used. Allocates nothing. Any thread. */
struct l1_entry *l1_shard_get(struct l1_shard *shard, const struct l1_key *key, bool use);

/* Unlinks the entry of that key, if there is one; its reference is the caller's then, else NULL. Any thread. */
struct l1_entry *l1_shard_take(struct l1_shard *shard, const struct l1_key *key);

/* How an entry of that key, origin and position would stand now. Any thread. */
struct l1_standing l1_shard_standing(
        struct l1_shard *shard, const struct l1_key *key, uint16_t origin, struct position as_of);

/* Links `entry`, whose reference goes to the shard; if the policy is not `policy`, changing it begins or goes on.
 * Returns the loser, for the caller to release: an older entry of the
 * same key, whose standing with the policy the new one takes over, or `entry` itself if a newer one is there; NULL when
 * there was no other. Any thread. */
struct l1_entry *l1_shard_insert(
        struct l1_shard *shard, struct l1_entry *entry, const struct policy_ops *policy) MUST_CHECK;

/* Adds what l1_shard_get was called for with `use`, with the values that have been inserted, to *totals. Any thread. */
void l1_shard_add_totals(struct l1_shard *shard, struct whatif_totals *totals);
/* A value of that length was found and did not answer: it is not among the totals. Any thread. */
void l1_shard_uncount(struct l1_shard *shard, uint32_t bytes);

/* Unlinks the policy's victim, so that a key of that hash may come in; its reference is the caller's then. NULL when
 * the shard is empty. Any thread. */
struct l1_entry *l1_shard_evict(struct l1_shard *shard, uint32_t for_hash);

#endif
