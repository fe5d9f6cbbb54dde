#include "database/lmdb_key.h"

#include "base/cursor.h"

#include <xxhash.h>

enum { UUID_PART_LEN = 1 + 16, HASH_PART_LEN = 1 + sizeof(XXH128_canonical_t) };

static void append(struct lmdb_key *key, const void *data, size_t len)
{
        VC_ASSERT(len <= sizeof(key->bytes) - key->len);
        if (len > 0)
                memcpy(key->bytes + key->len, data, len);
        key->len += len;
}

/* ---- packed UUIDs ---- */

/* The value of a lower-case hexadecimal digit, plus one; 0: it is none. A table, as every key of every row comes by. */
static const uint8_t DIGITS[256] = {['0'] = 1,
        ['1'] = 2,
        ['2'] = 3,
        ['3'] = 4,
        ['4'] = 5,
        ['5'] = 6,
        ['6'] = 7,
        ['7'] = 8,
        ['8'] = 9,
        ['9'] = 10,
        ['a'] = 11,
        ['b'] = 12,
        ['c'] = 13,
        ['d'] = 14,
        ['e'] = 15,
        ['f'] = 16};

/* Packs `count` pairs of digits. False when one is none. */
static bool pack_hex(const uint8_t *text, uint8_t *out, size_t count)
{
        bool all = true;

        for (size_t i = 0; i < count; i++) {
                unsigned int high = DIGITS[text[2 * i]];
                unsigned int low = DIGITS[text[2 * i + 1]];

                all = all && high > 0 && low > 0;
                out[i] = (uint8_t)((high - 1) << 4 | ((low - 1) & 0xf));
        }
        return all;
}

/* 8-4-4-4-12 digits. False when it is no UUID in canonical form. */
static bool pack_uuid(struct slice id, uint8_t out[UUID_PART_LEN])
{
        const uint8_t *text = id.data;

        if (id.len != LMDB_UUID_TEXT || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
                return false;
        out[0] = LMDB_UUID;
        return pack_hex(text, out + 1, 4) && pack_hex(text + 9, out + 5, 2) && pack_hex(text + 14, out + 7, 2) &&
               pack_hex(text + 19, out + 9, 2) && pack_hex(text + 24, out + 11, 6);
}

static bool is_dash_place(size_t at)
{
        return at == 8 || at == 13 || at == 18 || at == 23;
}

struct slice lmdb_part_id(struct slice part, char room[LMDB_UUID_TEXT])
{
        static const char digits[] = "0123456789abcdef";
        size_t at = 0;

        if (part.len != UUID_PART_LEN || part.data[0] != LMDB_UUID)
                return part;
        for (size_t i = 1; i < UUID_PART_LEN; i++) {
                if (is_dash_place(at))
                        room[at++] = '-';
                room[at++] = digits[part.data[i] >> 4];
                room[at++] = digits[part.data[i] & 0xf];
        }
        return slice_of(room, LMDB_UUID_TEXT);
}

/* ---- building ---- */

/* What an id is stored as: itself (borrowed), or its short form in `room`. */
static struct slice part_of(struct slice id, uint8_t room[HASH_PART_LEN])
{
        XXH128_canonical_t canonical;

        if (pack_uuid(id, room))
                return slice_of(room, UUID_PART_LEN);
        if (!lmdb_id_is_hashed(id))
                return id;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits(id.data, id.len));
        room[0] = LMDB_HASHED;
        memcpy(room + 1, canonical.digest, sizeof(canonical.digest));
        return slice_of(room, HASH_PART_LEN);
}

static void append_part(struct lmdb_key *key, struct slice id)
{
        uint8_t room[HASH_PART_LEN];
        struct slice part = part_of(id, room);
        uint8_t head = (uint8_t)part.len;

        append(key, &head, 1);
        append(key, part.data, part.len);
}

void lmdb_key_start_tenant(struct lmdb_key *key, struct slice tenant)
{
        key->len = 0;
        append_part(key, tenant);
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
        append_part(key, student);
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

static bool take_part(struct cursor *c, struct slice *out)
{
        uint8_t len;

        return cursor_u8(c, &len) && len <= LMDB_PART_MAX && cursor_take(c, len, out);
}

bool lmdb_key_split(struct slice key, size_t rank_len, struct lmdb_key_parts *out)
{
        struct cursor c = cursor_of(key);

        if (!take_part(&c, &out->tenant) || !take_part(&c, &out->table))
                return false;
        if (!cursor_take(&c, rank_len, &out->rank) || !take_part(&c, &out->student))
                return false;
        return cursor_take(&c, cursor_left(&c), &out->record);
}

bool lmdb_part_is_of(struct slice part, struct slice id)
{
        uint8_t room[HASH_PART_LEN];

        return slice_equal(part, part_of(id, room));
}
