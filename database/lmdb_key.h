/* Keys of the embedded database: built from parts, and taken apart again.
 *
 *      records        tenant | table | student             the head of a student's records of that table
 *                     tenant | table | student | record
 *      by_activity    tenant | table | time, newest first (8) | student
 *      by_severity    tenant | table | status (1) | severity (1), worst first | student
 *
 *      tenant, table, student: a byte of length, then the part; record: the rest
 *
 * So all of a tenant's table is one run of keys, and all of a student's records of a table is one run within it, with
 * its head before it.
 *
 * An id that is a UUID (lower case, with dashes) is stored as LMDB_UUID and its 16 bytes, which sort alike: they are
 * half of what a key would weigh. LMDB keys end at 511 bytes and ids go up to 512, so a part longer than LMDB_PART_MAX
 * is stored as LMDB_HASHED and the 128 bits of its XXH3 hash. No UTF-8 text begins with either byte. The full ids then
 * stand in the stored record (database/lmdb_record.h), and whoever reads compares them: two ids of one hash are never
 * taken for one another.
 *
 * All calls are pure; any thread. */
#ifndef DATABASE_LMDB_KEY_H
#define DATABASE_LMDB_KEY_H

#include "base/assert.h"
#include "base/slice.h"

enum {
        LMDB_PART_MAX = 64,
        LMDB_HASHED = 0xff,
        LMDB_UUID = 0xfe,
        LMDB_UUID_TEXT = 36,
        LMDB_RANK_MAX = 8, /* bytes of an index key between table and student */
        LMDB_KEY_MAX = 3 * (1 + LMDB_PART_MAX) + LMDB_RANK_MAX + LMDB_PART_MAX
};

struct lmdb_key {
        size_t len;
        uint8_t bytes[LMDB_KEY_MAX];
};

/* The key so far; borrowed until the next change. */
static inline struct slice lmdb_key_slice(const struct lmdb_key *key)
{
        return slice_of(key->bytes, key->len);
}

/* Begins a key with the tenant alone: what all of its keys begin with. */
void lmdb_key_start_tenant(struct lmdb_key *key, struct slice tenant);

/* Begins a key: tenant and table. The table's name has at most LMDB_PART_MAX bytes (ours to promise). */
void lmdb_key_start(struct lmdb_key *key, struct slice tenant, const char *table);

/* Appends the rank bytes of an index key, at most LMDB_RANK_MAX. */
void lmdb_key_add_rank(struct lmdb_key *key, const uint8_t *rank, size_t len);

/* Appends the student's part, then the record's. Ids have at least one byte. */
void lmdb_key_add_student(struct lmdb_key *key, struct slice student);
void lmdb_key_add_record(struct lmdb_key *key, struct slice record);

/* Tenant, table and student: the key of a head, and what the keys of the student's records begin with. */
void lmdb_key_student(struct lmdb_key *key, struct slice tenant, const char *table, struct slice student);

/* A key's parts as they are stored: ids, packed UUIDs, or hashes. All borrow from the key. */
struct lmdb_key_parts {
        struct slice tenant;
        struct slice table;
        struct slice rank;
        struct slice student;
        struct slice record; /* empty in keys of heads and of indexes */
};

/* Takes a stored key apart; `rank_len` is 0, 8 or 2 by the kind of key. False: it is none of ours. */
bool lmdb_key_split(struct slice key, size_t rank_len, struct lmdb_key_parts *out) MUST_CHECK;

/* Begins a key with what stands in the stored key `from` up to the end of its part `part`. */
void lmdb_key_start_as(struct lmdb_key *key, struct slice from, struct slice part);

/* True when the key is of the run that begins with `run`. */
static inline bool lmdb_key_has_prefix(struct slice key, const struct lmdb_key *run)
{
        return key.len >= run->len && memcmp(key.data, run->bytes, run->len) == 0;
}

/* True when ids of this length are stored as their hash. */
static inline bool lmdb_id_is_hashed(struct slice id)
{
        return id.len > LMDB_PART_MAX;
}

/* True when the stored part is a hash, so that the id itself must be read from the record. */
static inline bool lmdb_part_is_hash(struct slice part)
{
        return part.len > 0 && part.data[0] == LMDB_HASHED;
}

/* The id of a stored part: the part itself, or, of a packed UUID, its text in `room`. Of a hash: the hash. */
struct slice lmdb_part_id(struct slice part, char room[LMDB_UUID_TEXT]);

/* True when `part` is what the id `id` is stored as. */
bool lmdb_part_is_of(struct slice part, struct slice id);

#endif
