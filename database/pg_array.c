/* Arrays: PostgreSQL's text and binary forms of them as lists in lists. */
#include "base/cursor.h"
#include "database/pg_decode.h"
#include "database/pg_type.h"
#include "database/value.h"

enum { DIMENSIONS_MAX = 6 /* PostgreSQL's own */ };

uint32_t pg_array_element(uint32_t type)
{
        switch (type) {
        case 199: return PG_TYPE_JSON;
        case 1000: return PG_TYPE_BOOL;
        case 1001: return PG_TYPE_BYTEA;
        case 1003: return PG_TYPE_NAME;
        case 1005: return PG_TYPE_INT2;
        case 1007: return PG_TYPE_INT4;
        case 1009: return PG_TYPE_TEXT;
        case 1014: return PG_TYPE_BPCHAR;
        case 1015: return PG_TYPE_VARCHAR;
        case 1016: return PG_TYPE_INT8;
        case 1021: return PG_TYPE_FLOAT4;
        case 1022: return PG_TYPE_FLOAT8;
        case 1028: return PG_TYPE_OID;
        case 1115: return PG_TYPE_TIMESTAMP;
        case 1182: return PG_TYPE_DATE;
        case 1185: return PG_TYPE_TIMESTAMPTZ;
        case 1231: return PG_TYPE_NUMERIC;
        case 2951: return PG_TYPE_UUID;
        case 3807: return PG_TYPE_JSONB;
        default: return 0;
        }
}

/* ---- text: {1,NULL,"a \"quoted\" one",{…}} ---- */

struct reader {
        struct cursor at;
        uint32_t element;
        struct buf item; /* of the one that is read, without quotes and escapes */
        struct buf *out;
};

static bool peek(const struct reader *r, uint8_t c)
{
        return cursor_left(&r->at) > 0 && *r->at.at == c;
}

static bool skip(struct reader *r, uint8_t c)
{
        uint8_t byte;

        return peek(r, c) && cursor_u8(&r->at, &byte);
}

/* How many items there are up to the '}' of this level; the cursor stands behind its '{'. */
static uint32_t count_items(struct cursor c)
{
        uint32_t count = 0;
        uint32_t depth = 1;
        bool quoted = false;
        uint8_t byte;

        if (cursor_left(&c) > 0 && *c.at == '}')
                return 0;
        while (depth > 0 && cursor_u8(&c, &byte)) {
                if (byte == '\\') {
                        if (!cursor_u8(&c, &byte))
                                break;
                } else if (byte == '"') {
                        quoted = !quoted;
                } else if (!quoted) {
                        depth += byte == '{' ? 1 : 0;
                        count += byte == ',' && depth == 1 ? 1 : 0;
                        depth -= byte == '}' ? 1 : 0;
                }
        }
        return count + 1;
}

static enum err read_quoted(struct reader *r)
{
        uint8_t byte;
        enum err rc = OK;

        while (rc == OK) {
                if (!cursor_u8(&r->at, &byte))
                        return ERR_CORRUPT;
                if (byte == '"')
                        return OK;
                if (byte == '\\' && !cursor_u8(&r->at, &byte))
                        return ERR_CORRUPT;
                rc = buf_append(&r->item, &byte, 1);
        }
        return rc;
}

static enum err read_bare(struct reader *r)
{
        uint8_t byte;
        enum err rc = OK;

        while (rc == OK && !peek(r, ',') && !peek(r, '}'))
                rc = cursor_u8(&r->at, &byte) ? buf_append(&r->item, &byte, 1) : ERR_CORRUPT;
        return rc;
}

static enum err put_item(struct reader *r)
{
        const bool quoted = skip(r, '"');
        struct pg_cell cell = {.type = r->element};
        enum err rc;

        buf_truncate(&r->item, 0);
        rc = quoted ? read_quoted(r) : read_bare(r);
        cell.bytes = buf_slice(&r->item);
        if (rc != OK)
                return rc;
        if (!quoted && slice_is_word(cell.bytes, "NULL"))
                return value_put_nil(r->out);
        if (cell.bytes.len == 0)
                cell.bytes = slice_of("", 0);
        return pg_decode(&cell, r->out);
}

/* One level; the cursor stands behind its '{'. As deep as DIMENSIONS_MAX at most. */
static enum err put_level(struct reader *r, uint32_t depth)
{
        uint32_t count = count_items(r->at);
        enum err rc = value_put_list(r->out, count);

        if (depth == DIMENSIONS_MAX)
                return ERR_CORRUPT;
        for (uint32_t i = 0; rc == OK && i < count; i++) {
                if (i > 0 && !skip(r, ','))
                        return ERR_CORRUPT;
                rc = skip(r, '{') ? put_level(r, depth + 1) : put_item(r);
        }
        return rc == OK && !skip(r, '}') ? ERR_CORRUPT : rc;
}

static enum err from_text(uint32_t element, struct slice text, struct buf *out)
{
        struct reader r = {.at = cursor_of(text), .element = element, .out = out};
        struct slice bounds;
        enum err rc = OK;

        buf_init(&r.item, 0);
        if (peek(&r, '[') && !cursor_until(&r.at, '=', &bounds)) /* [0:1]={…}: indexes that do not begin at 1 */
                rc = ERR_CORRUPT;
        if (rc == OK)
                rc = skip(&r, '{') ? put_level(&r, 0) : ERR_CORRUPT;
        if (rc == OK && cursor_left(&r.at) > 0)
                rc = ERR_CORRUPT;
        buf_deinit(&r.item);
        return rc;
}

/* ---- binary: dimensions, whether there are NULLs, the elements' type, {length, lower bound}…, {size, bytes}… ---- */

struct shape {
        uint32_t dimensions;
        uint32_t lengths[DIMENSIONS_MAX];
};

static bool read_shape(struct cursor *c, uint32_t element, struct shape *shape)
{
        uint32_t flags;
        uint32_t type;
        uint32_t lower;
        uint32_t count = 1;

        if (!cursor_u32(c, &shape->dimensions) || !cursor_u32(c, &flags) || !cursor_u32(c, &type))
                return false;
        if (shape->dimensions > DIMENSIONS_MAX || type != element)
                return false;
        for (uint32_t i = 0; i < shape->dimensions; i++) {
                if (!cursor_u32(c, &shape->lengths[i]) || !cursor_u32(c, &lower) || shape->lengths[i] == 0)
                        return false;
                if (shape->lengths[i] > UINT32_MAX / count)
                        return false;
                count *= shape->lengths[i];
        }
        return shape->dimensions == 0 || count <= cursor_left(c) / sizeof(uint32_t); /* each has its length before it */
}

static enum err put_element(struct cursor *c, uint32_t element, struct buf *out)
{
        struct pg_cell cell = {.type = element, .binary = true};
        uint32_t len;

        if (!cursor_u32(c, &len))
                return ERR_CORRUPT;
        if (len == UINT32_MAX)
                return value_put_nil(out);
        return cursor_take(c, len, &cell.bytes) ? pg_decode(&cell, out) : ERR_CORRUPT;
}

static enum err put_dimension(
        struct cursor *c, uint32_t element, const struct shape *shape, uint32_t depth, struct buf *out)
{
        enum err rc = value_put_list(out, shape->lengths[depth]);

        for (uint32_t i = 0; rc == OK && i < shape->lengths[depth]; i++)
                rc = depth + 1 < shape->dimensions ? put_dimension(c, element, shape, depth + 1, out)
                                                   : put_element(c, element, out);
        return rc;
}

static enum err from_binary(uint32_t element, struct slice bytes, struct buf *out)
{
        struct cursor c = cursor_of(bytes);
        struct shape shape;
        enum err rc;

        if (!read_shape(&c, element, &shape))
                return ERR_CORRUPT;
        if (shape.dimensions == 0)
                return value_put_list(out, 0);
        rc = put_dimension(&c, element, &shape, 0, out);
        return rc == OK && cursor_left(&c) > 0 ? ERR_CORRUPT : rc;
}

enum err pg_array_decode(uint32_t element, const struct pg_cell *cell, struct buf *out)
{
        return cell->binary ? from_binary(element, cell->bytes, out) : from_text(element, cell->bytes, out);
}
