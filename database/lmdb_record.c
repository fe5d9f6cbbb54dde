#include "database/lmdb_record.h"

#include "base/cursor.h"

enum { HEAD_LEN = 1 + 1 + 4 + 8, STUDENT_LEN = 2, ORIGINAL_LEN = 1 + 4 + 4 + 8 };

static bool has_original(const struct lmdb_record *record)
{
        return record->original.bytes.len > 0;
}

size_t lmdb_record_size(const struct lmdb_record *record)
{
        size_t size = HEAD_LEN + record->map.len;

        if (record->student.len > 0)
                size += STUDENT_LEN + record->student.len;
        if (has_original(record))
                size += ORIGINAL_LEN + record->original.bytes.len;
        return size;
}

static uint8_t *put_uint(uint8_t *at, uint64_t n, size_t bytes)
{
        for (size_t i = bytes; i-- > 0; n >>= 8)
                at[i] = (uint8_t)n;
        return at + bytes;
}

static uint8_t *put_slice(uint8_t *at, struct slice s)
{
        if (s.len > 0)
                memcpy(at, s.data, s.len);
        return at + s.len;
}

static uint8_t *put_original_head(uint8_t *at, const struct original *original)
{
        VC_ASSERT(original->bytes.len <= UINT32_MAX);
        at = put_uint(at, original->coding, 1);
        at = put_uint(at, original->bytes.len, 4);
        at = put_uint(at, original->whole_len, 4);
        return put_uint(at, original->hash, 8);
}

void lmdb_record_encode(const struct lmdb_record *record, uint8_t *out)
{
        uint64_t flags =
                (record->student.len > 0 ? LMDB_RECORD_STUDENT : 0) | (has_original(record) ? LMDB_RECORD_ORIGINAL : 0);

        VC_ASSERT(record->student.len <= UINT16_MAX);
        out = put_uint(out, LMDB_RECORD_FORMAT, 1);
        out = put_uint(out, flags, 1);
        out = put_uint(out, record->schema, 4);
        out = put_uint(out, record->version.n, 8);
        if (record->student.len > 0) {
                out = put_uint(out, record->student.len, STUDENT_LEN);
                out = put_slice(out, record->student);
        }
        if (has_original(record))
                out = put_original_head(out, &record->original);
        out = put_slice(out, record->map);
        (void)put_slice(out, record->original.bytes);
}

static bool take_student(struct cursor *c, struct lmdb_record *out)
{
        uint16_t len;

        return cursor_u16(c, &len) && len > 0 && cursor_take(c, len, &out->student);
}

static bool take_original_head(struct cursor *c, struct original *out, uint32_t *stored_len)
{
        return cursor_u8(c, &out->coding) && cursor_u32(c, stored_len) && *stored_len > 0 &&
               cursor_u32(c, &out->whole_len) && cursor_u64(c, &out->hash);
}

bool lmdb_record_decode(struct slice stored, struct lmdb_record *out)
{
        struct cursor c = cursor_of(stored);
        uint32_t original_len = 0;
        uint8_t format;
        uint8_t flags;

        out->student = SLICE_EMPTY;
        out->original = (struct original){.coding = 0};
        if (!cursor_u8(&c, &format) || format != LMDB_RECORD_FORMAT || !cursor_u8(&c, &flags))
                return false;
        if (!cursor_u32(&c, &out->schema) || !cursor_u64(&c, &out->version.n))
                return false;
        if ((flags & LMDB_RECORD_STUDENT) != 0 && !take_student(&c, out))
                return false;
        if ((flags & LMDB_RECORD_ORIGINAL) != 0 && !take_original_head(&c, &out->original, &original_len))
                return false;
        if (cursor_left(&c) <= original_len)
                return false;
        return cursor_take(&c, cursor_left(&c) - original_len, &out->map) &&
               cursor_take(&c, original_len, &out->original.bytes);
}

void lmdb_put_u64(uint8_t out[8], uint64_t n)
{
        (void)put_uint(out, n, 8);
}

bool lmdb_get_u64(struct slice stored, uint64_t *out)
{
        struct cursor c = cursor_of(stored);

        return cursor_u64(&c, out) && cursor_left(&c) == 0;
}
