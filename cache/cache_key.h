/* The bytes under which the tiers know a key: one byte each for format and type (its index: a name would make every
 * entry larger), the tenant with its length before it (two bytes, big-endian), then the id. Two keys never have the
 * same bytes, whatever is in tenants and ids. Without its first byte it names what is read from the source, whatever
 * format it is wanted in: the key of a fill. */
#ifndef CACHE_CACHE_KEY_H
#define CACHE_CACHE_KEY_H

#include "database/record_type.h"
#include "database/tag.h"

/* What clients want values as; entries are kept ready-made for the wire, so each format has entries of its own. */
enum wire_format { FORMAT_JSON, FORMAT_MSGPACK, FORMAT_COUNT_ };

enum { CACHE_KEY_MAX = 1 + 1 + 2 + TAG_PART_MAX + RECORD_ID_MAX };

struct cache_key {
        size_t len;
        uint8_t bytes[CACHE_KEY_MAX];
};

/* Of a fill's key: what stands before the tenant. */
enum { CACHE_KEY_FILL_TENANT = 1 + 2 };

/* Writes the key. `tenant` and `id` are within their limits (ours to promise: both are checked on entry). Pure. */
void cache_key_make(struct cache_key *out, enum wire_format format, const struct record_type *type, struct slice tenant,
        struct slice id);

/* The key of L1's entry; borrows from *key. */
static inline struct slice cache_key_of_entry(const struct cache_key *key)
{
        return slice_of(key->bytes, key->len);
}

/* The key of the fill: the same for every format; borrows from *key. */
static inline struct slice cache_key_of_fill(const struct cache_key *key)
{
        return slice_of(key->bytes + 1, key->len - 1);
}

#endif
