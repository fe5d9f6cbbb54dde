/* An entry of L1: one block of memory with header, key and value, so that storing costs one allocation and
 * reading touches neighbouring cache lines. Reference-counted: the table holds one reference, each reader that is
 * copying the value out holds one, and the last to let go frees it. Immutable once made, but for the links that its
 * shard's lock guards. Private to cache/. */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "base/list.h"
#include "cache/l1.h"

#include <stdatomic.h>

struct l1_entry {
        struct l1_entry *chain; /* the next of its bucket; guarded by the shard's lock */
        struct list place;      /* in the shard's order of use; guarded by its lock */
        uint64_t epoch;
        uint64_t def;
        struct position as_of;
        struct nanos expires;
        struct nanos filled;
        uint32_t hash; /* the bits that choose the bucket: a table grows without reading any key */
        _Atomic uint32_t refs;
        uint32_t value_len;
        uint32_t fill_micros;
        uint16_t key_len;
        uint8_t has_snapshot : 1;
        uint8_t from_replica : 1;
        uint8_t type_index : 7;
        uint8_t found : 1;
        /* key, value and snapshot follow */
        uint8_t bytes[];
};

/* A copy of all that `view` holds, with one reference, the caller's. ERR_NOMEM, ERR_LIMIT (a part longer than its
 * length field can say); *out is NULL then. Any thread. */
enum err entry_create(struct l1_entry **out, const struct l1_view *view, uint32_t hash) MUST_CHECK;

/* Copies the snapshot into *out, if the entry has one. Pure. */
bool entry_snapshot(const struct l1_entry *entry, struct snapshot *out) MUST_CHECK;

/* Takes a reference. The caller holds one, or the lock of the shard that does. */
static inline void entry_hold(struct l1_entry *entry)
{
        atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
}

/* Gives a reference back and nulls the pointer; the last one frees. NULL-safe. Any thread. */
void entry_release(struct l1_entry **entry);

static inline struct slice entry_key(const struct l1_entry *entry)
{
        return slice_of(entry->bytes, entry->key_len);
}

static inline struct slice entry_value(const struct l1_entry *entry)
{
        const struct slice key = entry_key(entry);

        return slice_of(key.data + key.len, entry->value_len);
}

static inline bool entry_is(const struct l1_entry *entry, uint32_t hash, struct slice key)
{
        return entry->hash == hash && slice_equal(entry_key(entry), key);
}

/* True when `entry` holds a newer state of the same history than `other`: it must not be replaced by that one. */
static inline bool entry_is_newer(const struct l1_entry *entry, const struct l1_entry *other)
{
        return entry->epoch == other->epoch && entry->def == other->def && entry->as_of.n > other->as_of.n;
}

#endif
