/* A shard's hash table of entries: chained, in buckets of four bytes, and resized a few buckets at a time, so that no
 * single put or remove ever pays for moving a whole table. Not thread-safe: the shard's lock covers it, but for
 * entry_table_prefetch. Private to cache/. */
#ifndef CACHE_ENTRY_TABLE_H
#define CACHE_ENTRY_TABLE_H

#include "cache/entry.h"

/* An array of buckets, a block of the arena: its reference and how many there are, in one word, so that who reads
 * without the lock has the two of one array. */
struct entry_buckets {
        place_ref block; /* 0: there is none */
        uint32_t mask;   /* how many buckets, less one; a power of two less one */
};

struct entry_table {
        struct entry_home *home;
        struct entry_buckets now;
        struct entry_buckets old;  /* block != 0: a move from old to now is under way */
        _Atomic uint64_t now_seen; /* `now` for entry_table_prefetch: the block and, above it, the mask */
        uint32_t moved;            /* old's buckets below this one are empty: their entries are in `now` */
        size_t count;
};

/* ERR_NOMEM: nothing to deinit then. */
enum err entry_table_init(struct entry_table *t, struct entry_home *home) MUST_CHECK;
/* Releases every entry and frees the buckets. */
void entry_table_deinit(struct entry_table *t);

/* The entry of that key, or NULL. No allocation, no store. */
struct l1_entry *entry_table_find(const struct entry_table *t, uint32_t hash, struct slice key);

/* Takes over the caller's reference; there must be no entry of that key. Grows when the chains get long; where there is
 * no memory for that the chains just stay long, so this cannot fail. */
void entry_table_insert(struct entry_table *t, struct l1_entry *entry);

/* Unlinks an entry that is in the table; its reference is the caller's then. */
void entry_table_remove(struct entry_table *t, struct l1_entry *entry);

/* Asks the processor for the bucket of that hash; with `deep` for the entry that it shows. Any thread, without the
 * shard's lock: what is read may be outdated, or of another use of its memory, and leads at worst to a load that nobody
 * needs. */
void entry_table_prefetch(const struct entry_table *t, uint32_t hash, bool deep);

#endif
