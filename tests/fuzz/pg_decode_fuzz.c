/* Cells of PostgreSQL's results: whatever the bytes, they are refused, or become exactly one sound value. The first
 * byte says the type and the form, the rest is the cell. */
#include "database/pg_decode.h"

#include "database/pg_type.h"
#include "database/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t TYPES[] = {PG_TYPE_BOOL, PG_TYPE_BYTEA, PG_TYPE_INT2, PG_TYPE_INT4, PG_TYPE_INT8, PG_TYPE_TEXT,
        PG_TYPE_OID, PG_TYPE_JSON, PG_TYPE_FLOAT4, PG_TYPE_FLOAT8, PG_TYPE_DATE, PG_TYPE_TIMESTAMP, PG_TYPE_TIMESTAMPTZ,
        PG_TYPE_NUMERIC, PG_TYPE_UUID, PG_TYPE_JSONB, 1007 /* int4[] */, 1009 /* text[] */, 1185 /* timestamptz[] */,
        3807 /* jsonb[] */, 1 /* of no known type */};

enum { TYPE_COUNT = sizeof(TYPES) / sizeof(TYPES[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct value_limits limits = {.bytes = 1u << 30, .depth = VALUE_DEPTH_MAX, .elements = 1u << 30};
        struct pg_cell cell;
        struct buf out;
        enum err rc;

        if (size == 0)
                return 0;
        cell = (struct pg_cell){.type = TYPES[(data[0] >> 1) % TYPE_COUNT],
                .binary = data[0] & 1,
                .bytes = slice_of(data + 1, size - 1)};
        buf_init(&out, 0);
        rc = pg_decode(&cell, &out);
        VC_ASSERT(rc == OK || rc == ERR_CORRUPT);
        if (rc == OK)
                VC_ASSERT(value_check(buf_slice(&out), &limits, NULL) == OK);
        buf_truncate(&out, 0);
        VC_ASSERT(pg_decode_text(&cell, &out) != ERR_LIMIT);
        buf_deinit(&out);
        return 0;
}
