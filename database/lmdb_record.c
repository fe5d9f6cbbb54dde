#include "database/lmdb_record.h"

#include "base/cursor.h"

enum { HEAD_LEN = 1 + 4 + 8 + 2 };

size_t lmdb_record_size(const struct lmdb_record *record)
{
        return HEAD_LEN + record->student.len + record->map.len;
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

void lmdb_record_encode(const struct lmdb_record *record, uint8_t *out)
{
        VC_ASSERT(record->student.len <= UINT16_MAX);
        out = put_uint(out, LMDB_RECORD_FORMAT, 1);
        out = put_uint(out, record->schema, 4);
        out = put_uint(out, record->version.n, 8);
        out = put_uint(out, record->student.len, 2);
        out = put_slice(out, record->student);
        (void)put_slice(out, record->map);
}

bool lmdb_record_decode(struct slice stored, struct lmdb_record *out)
{
        struct cursor c = cursor_of(stored);
        uint8_t format;
        uint16_t student_len;

        if (!cursor_u8(&c, &format) || format != LMDB_RECORD_FORMAT)
                return false;
        if (!cursor_u32(&c, &out->schema) || !cursor_u64(&c, &out->version.n))
                return false;
        if (!cursor_u16(&c, &student_len) || !cursor_take(&c, student_len, &out->student))
                return false;
        return cursor_take(&c, cursor_left(&c), &out->map) && out->map.len > 0;
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
