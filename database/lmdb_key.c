#include "database/lmdb_key.h"

#include "base/cursor.h"

#include <xxhash.h>

enum { HASH_PART_LEN = 1 + sizeof(XXH128_canonical_t) };

static void append(struct lmdb_key *key, const void *data, size_t len)
{
        VC_ASSERT(len <= sizeof(key->bytes) - key->len);
        if (len > 0)
                memcpy(key->bytes + key->len, data, len);
        key->len += len;
}

/* What an id is stored as: itself (borrowed), or its hash in `room`. */
static struct slice part_of(struct slice id, uint8_t room[HASH_PART_LEN])
{
        XXH128_canonical_t canonical;

        if (!lmdb_id_is_hashed(id))
                return id;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(id.data, id.len));
        room[0] = LMDB_HASHED;
        memcpy(room + 1, canonical.digest, sizeof(canonical.digest));
        return slice_of(room, HASH_PART_LEN);
}

static void append_part16(struct lmdb_key *key, struct slice id)
{
        uint8_t room[HASH_PART_LEN];
        struct slice part = part_of(id, room);
        uint8_t head[2] = {(uint8_t)(part.len >> 8), (uint8_t)part.len};

        append(key, head, sizeof(head));
        append(key, part.data, part.len);
}

void lmdb_key_start_tenant(struct lmdb_key *key, struct slice tenant)
{
        key->len = 0;
        append_part16(key, tenant);
}

void lmdb_key_start(struct lmdb_key *key, struct slice tenant, const char *table)
{
        size_t table_len = strlen(table);
        uint8_t head = (uint8_t)table_len;

        VC_ASSERT(table_len <= LMDB_PART_MAX);
        lmdb_key_start_tenant(key, tenant);
        append(key, &head, 1);
        append(key, table, table_len);
}

void lmdb_key_start_as(struct lmdb_key *key, struct slice from, struct slice part)
{
        key->len = 0;
        append(key, from.data, (size_t)(part.data - from.data) + part.len);
}

void lmdb_key_add_rank(struct lmdb_key *key, const uint8_t *rank, size_t len)
{
        VC_ASSERT(len <= LMDB_RANK_MAX);
        append(key, rank, len);
}

void lmdb_key_add_student(struct lmdb_key *key, struct slice student)
{
        append_part16(key, student);
}

void lmdb_key_add_record(struct lmdb_key *key, struct slice record)
{
        uint8_t room[HASH_PART_LEN];
        struct slice part = part_of(record, room);

        append(key, part.data, part.len);
}

void lmdb_key_student(struct lmdb_key *key, struct slice tenant, const char *table, struct slice student)
{
        lmdb_key_start(key, tenant, table);
        lmdb_key_add_student(key, student);
}

static bool take_part16(struct cursor *c, struct slice *out)
{
        uint16_t len;

        return cursor_u16(c, &len) && len <= LMDB_PART_MAX && cursor_take(c, len, out);
}

bool lmdb_key_split(struct slice key, size_t rank_len, struct lmdb_key_parts *out)
{
        struct cursor c = cursor_of(key);
        uint8_t table_len;

        if (!take_part16(&c, &out->tenant))
                return false;
        if (!cursor_u8(&c, &table_len) || !cursor_take(&c, table_len, &out->table))
                return false;
        if (!cursor_take(&c, rank_len, &out->rank) || !take_part16(&c, &out->student))
                return false;
        return cursor_take(&c, cursor_left(&c), &out->record);
}

bool lmdb_part_is_of(struct slice part, struct slice id)
{
        uint8_t room[HASH_PART_LEN];

        return slice_equal(part, part_of(id, room));
}
