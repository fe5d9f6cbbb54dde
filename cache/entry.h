/* An entry of L1: one block of the arena with header, key and value, so that storing costs one allocation and reading
 * touches neighbouring cache lines. Reference-counted: the table holds one reference, each reader that is copying the
 * value out holds one, and the last to let go frees it. Immutable once made, but for the links that its shard's lock
 * guards. 36 bytes of header beside as_of and expires; what could be made smaller by saying it otherwise is:
 *
 *      tags            not kept: they follow from the key (invalidation/tag_slots.h)
 *      epoch, def      the number of the pair (cache/origins.h)
 *      pointers        32-bit references into the arena
 *      filled          the span before `expires`, in milliseconds, rounded up: an entry may look older than it is
 *      fill_micros     11 bits of it, and their place
 *      snapshot        differences, in as many bytes as they need (cache/entry_snapshot.h)
 *
 * Private to cache/. */
#ifndef CACHE_ENTRY_H
#define CACHE_ENTRY_H

#include "cache/l1.h"
#include "cache/l1_arena.h"
#include "cache/order.h"
#include "cache/origins.h"

#include <stdatomic.h>

enum { ENTRY_KEY_BITS = 11 };

struct l1_entry {
        struct place place; /* the policy's, guarded by the shard's lock; of `owner` the first two are ours, the last is
                               the arena's */
        place_ref chain;    /* the next of its bucket; guarded by the shard's lock */
        _Atomic uint32_t refs;
        struct position as_of __attribute__((packed, aligned(4))); /* as all of the arena is */
        struct nanos expires __attribute__((packed, aligned(4)));
        uint32_t value_len;
        uint32_t life;
        uint16_t cost;
        uint16_t key_len : ENTRY_KEY_BITS;
        uint16_t origin_high : 2;
        uint16_t found : 1;
        uint16_t from_replica : 1;
        uint16_t has_snapshot : 1;
        uint8_t bytes[]; /* key, value and snapshot */
};

enum {
        OWNER_TYPE,
        OWNER_ORIGIN
}; /* bytes of place.owner: the type's index, and the lower part of the origin. The
                                      first has one bit of cache/order.h */

/* What all entries of one L1 have in common. */
struct entry_home {
        struct l1_arena *arena;
        struct places places; /* of the arena */
        struct origins *origins;
};

/* ERR_NOMEM: nothing to deinit then. `most_bytes` as in l1_arena_create. */
enum err entry_home_init(struct entry_home *home, uint64_t most_bytes) MUST_CHECK;
void entry_home_deinit(struct entry_home *home);

/* What an entry of that view takes of the arena; SIZE_MAX: a part is longer than its length field can say. Pure. */
size_t entry_size_of(const struct entry_home *home, const struct l1_view *view);
/* The same, of one that is there. Pure. */
size_t entry_size(const struct l1_entry *entry);

struct entry_facts {
        uint32_t hash;   /* the bits that choose the bucket: a table grows without reading any key */
        uint16_t origin; /* of view->stamp; the entry takes over the caller's use of it */
        bool grow;       /* as in l1_arena_alloc */
};

/* A copy of all that `view` holds, with one reference, the caller's. ERR_NOMEM, ERR_LIMIT (as l1_arena_alloc; the size
 * has been checked); *out is NULL then. Any thread. */
enum err entry_create(struct l1_entry **out, struct entry_home *home, const struct l1_view *view,
        const struct entry_facts *facts) MUST_CHECK;

/* What it was made of, but for the snapshot. Pure. */
struct l1_view entry_view(const struct entry_home *home, const struct l1_entry *entry);

/* Copies the snapshot into *out, if the entry has one. Pure. */
bool entry_snapshot(const struct l1_entry *entry, struct snapshot *out) MUST_CHECK;

/* Takes a reference. The caller holds one, or the lock of the shard that does. */
static inline void entry_hold(struct l1_entry *entry)
{
        atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
}

/* Gives a reference back and nulls the pointer; the last one frees. NULL-safe. Any thread. */
void entry_release(struct entry_home *home, struct l1_entry **entry);

static inline struct l1_entry *entry_at(const struct places *places, place_ref ref)
{
        return (struct l1_entry *)(void *)place_at(places, ref);
}

static inline place_ref entry_ref(const struct places *places, const struct l1_entry *entry)
{
        return (place_ref)((size_t)((const uint8_t *)entry - places->base) >> places->shift);
}

static inline struct slice entry_key(const struct l1_entry *entry)
{
        return slice_of(entry->bytes, entry->key_len);
}

static inline struct slice entry_value(const struct l1_entry *entry)
{
        return slice_of(entry->bytes + entry->key_len, entry->value_len);
}

static inline uint32_t entry_type(const struct l1_entry *entry)
{
        return __atomic_load_n(&entry->place.owner[OWNER_TYPE], __ATOMIC_RELAXED) & ~(unsigned)ORDER_SIDE;
}

static inline uint16_t entry_origin(const struct l1_entry *entry)
{
        return (uint16_t)(entry->origin_high << 8 | entry->place.owner[OWNER_ORIGIN]);
}

static inline bool entry_is(const struct l1_entry *entry, uint32_t hash, struct slice key)
{
        return entry->place.hash == hash && slice_equal(entry_key(entry), key);
}

/* True when `entry` holds a newer state of the same history than one of that origin and position: it must not be
 * replaced by that one. */
static inline bool entry_is_newer(const struct l1_entry *entry, uint16_t origin, struct position as_of)
{
        return entry_origin(entry) == origin && entry->as_of.n > as_of.n;
}

#endif
