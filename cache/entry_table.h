/* A shard's hash table of entries: chained, and resized a few buckets at a time, so that no single put or remove ever
 * pays for moving a whole table. Not thread-safe: the shard's lock covers it. Private to cache/. */
#ifndef CACHE_ENTRY_TABLE_H
#define CACHE_ENTRY_TABLE_H

#include "cache/entry.h"

struct entry_buckets {
        struct l1_entry **heads;
        size_t mask; /* how many there are, less one; a power of two less one */
};

struct entry_table {
        struct entry_buckets now;
        struct entry_buckets old; /* heads != NULL: a move from old to now is under way */
        size_t moved;             /* old's buckets below this one are empty: their entries are in `now` */
        size_t count;
        size_t bytes; /* memory of the bucket arrays */
};

/* ERR_NOMEM: nothing to deinit then. */
enum err entry_table_init(struct entry_table *t) MUST_CHECK;
/* Releases every entry and frees the buckets. */
void entry_table_deinit(struct entry_table *t);

/* The entry of that key, or NULL. No allocation, no store. */
struct l1_entry *entry_table_find(const struct entry_table *t, uint32_t hash, struct slice key);

/* Takes over the caller's reference; there must be no entry of that key. Grows when the chains get long; where there is
 * no memory for that the chains just stay long, so this cannot fail. */
void entry_table_insert(struct entry_table *t, struct l1_entry *entry);

/* Unlinks an entry that is in the table; its reference is the caller's then. */
void entry_table_remove(struct entry_table *t, struct l1_entry *entry);

#endif
