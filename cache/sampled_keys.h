/* The keys that a what-if sample is made of, known by hash alone: a table of fixed size from which the LRU stack of
 * cache/reuse.h and the shadows of cache/shadow.h hang. Each key has one reference for all of them, so an access costs
 * one look-up, whatever the number of caches that are imagined.
 *
 * Two keys of one 32-bit hash are taken for one. Not thread-safe. Private to cache/. */
#ifndef CACHE_SAMPLED_KEYS_H
#define CACHE_SAMPLED_KEYS_H

#include "cache/policy.h"
#include "cache/whatif_report.h"

/* The caches that are imagined: LRU at some sizes, and at the present one a shadow of each other policy. Each has a
 * number, and a bit of a mask: the sizes first. */
enum {
        IMAGINED_SIZES = WHATIF_SIZES,
        IMAGINED_PRESENT = WHATIF_PRESENT,
        IMAGINED_SHADOWS = WHATIF_POLICIES - 1, /* LRU's is one of the sizes */
        IMAGINED_CACHES = IMAGINED_SIZES + IMAGINED_SHADOWS,
        IMAGINED_ALL = (1 << IMAGINED_CACHES) - 1,
};

struct sampled_key {
        place_ref next; /* cache/reuse.h */
        place_ref prev;
        place_ref chain; /* the next of its bucket, or of the free ones */
        uint32_t hash;
        uint32_t weight;                   /* memory that its entry takes */
        uint32_t bytes;                    /* of its value */
        uint8_t missed;                    /* the caches that missed its last access: what is put now is put there */
        uint8_t holders;                   /* bit s: shadow number s has it */
        uint8_t zone;                      /* the smallest of the sizes at which LRU has it; IMAGINED_SIZES: none has */
        uint32_t first_expires;            /* of the times below, no later than the earliest */
        uint32_t expires[IMAGINED_CACHES]; /* of each cache's copy, in ticks of cache/whatif.h */
};

struct sampled_keys {
        struct sampled_key *keys; /* keys[0] is nobody: reference 0 means none */
        place_ref *heads;
        uint32_t mask;
        uint32_t capacity;
        uint32_t count;
        place_ref free;
        place_ref pinned;
};

/* ERR_NOMEM: nothing to deinit then. */
enum err sampled_keys_init(struct sampled_keys *keys, uint32_t capacity) MUST_CHECK;
void sampled_keys_deinit(struct sampled_keys *keys);

static inline struct sampled_key *sampled_key_at(const struct sampled_keys *keys, place_ref ref)
{
        return &keys->keys[ref];
}

/* The key of that hash; 0: none. */
place_ref sampled_keys_find(const struct sampled_keys *keys, uint32_t hash);

/* Adds a key that is not there, held by nobody and missed by all. 0: the table is full. */
place_ref sampled_keys_add(struct sampled_keys *keys, uint32_t hash);

/* A copy of `ref` that is found in its place from now on; 0: the table is full, nothing has changed. For a key that
 * changes its weight, which policies must not see: who holds `ref` is given the copy, then `ref` is discarded. */
place_ref sampled_keys_renew(struct sampled_keys *keys, place_ref ref);
void sampled_keys_discard(struct sampled_keys *keys, place_ref ref);

/* Whether anyone holds the key; false of places of the table that are free. */
static inline bool sampled_key_is_held(const struct sampled_key *key)
{
        return key->zone != IMAGINED_SIZES || key->holders != 0;
}

/* Forgets a key that nobody holds (any more), unless it is pinned. */
void sampled_keys_loosen(struct sampled_keys *keys, place_ref ref);

/* The key stays till it is unpinned, whoever lets go of it. One at a time. */
void sampled_keys_pin(struct sampled_keys *keys, place_ref ref);
void sampled_keys_unpin(struct sampled_keys *keys);

#endif
