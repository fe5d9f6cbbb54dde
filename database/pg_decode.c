#include "database/pg_decode.h"

#include "base/cursor.h"
#include "database/pg_time.h"
#include "database/pg_type.h"
#include "database/value.h"
#include "database/value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_MAX = 64, JSONB_VERSION = 1, UUID_SIZE = 16, UUID_TEXT_SIZE = 37 };

static enum err put_text(struct slice text, struct buf *out)
{
        return slice_is_utf8(text) ? value_put_text(out, text) : ERR_CORRUPT;
}

/* ---- numbers ---- */

static enum err put_float(double real, struct buf *out)
{
        if (isnan(real))
                return value_put_str(out, "NaN");
        if (isinf(real))
                return value_put_str(out, real < 0 ? "-Infinity" : "Infinity");
        return value_put_float(out, real);
}

/* A copy with an end, for the C library. False: too long to be a number that it reads. */
static bool terminate(struct slice text, char out[NUMBER_MAX])
{
        if (text.len == 0 || text.len >= NUMBER_MAX)
                return false;
        memcpy(out, text.data, text.len);
        out[text.len] = '\0';
        return true;
}

/* PostgreSQL prints floats in the fewest digits that read back as the same; its words for the others are strtod's. */
static enum err put_float_text(struct slice text, struct buf *out)
{
        char number[NUMBER_MAX];
        char *end;
        double real;

        if (!terminate(text, number))
                return ERR_CORRUPT;
        real = strtod(number, &end);
        return *end == '\0' ? put_float(real, out) : ERR_CORRUPT;
}

/* As its text would be read: 0.1 is not the nearest float of 64 bits to the nearest of 32. */
static enum err put_float4(float real, struct buf *out)
{
        char number[NUMBER_MAX];

        if (isnan(real) || isinf(real))
                return put_float((double)real, out);
        for (int digits = 6; digits <= 9; digits++) {
                (void)snprintf(number, sizeof(number), "%.*g", digits, (double)real);
                if (strtof(number, NULL) == real)
                        break;
        }
        return put_float(strtod(number, NULL), out);
}

/* A numeric that keeps zeros at its end ("12.50"), or has more digits than a float surely keeps, would not come back as
 * it was. */
static enum err put_numeric(struct slice text, struct buf *out)
{
        char given[NUMBER_MAX];
        char back[NUMBER_MAX];
        int64_t integer;
        double real;

        if (slice_to_i64(text, &integer))
                return value_put_int(out, integer);
        if (!terminate(text, given))
                return put_text(text, out);
        real = strtod(given, NULL);
        (void)snprintf(back, sizeof(back), "%.15g", real);
        if (isfinite(real) && strcmp(back, given) == 0)
                return value_put_float(out, real);
        return put_text(text, out);
}

static enum err put_int_text(struct slice text, struct buf *out)
{
        int64_t integer;

        return slice_to_i64(text, &integer) ? value_put_int(out, integer) : ERR_CORRUPT;
}

/* ---- bytes ---- */

static enum err put_base64(struct slice bytes, struct buf *out)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        struct buf text;
        enum err rc = OK;

        buf_init(&text, 0);
        for (size_t i = 0; rc == OK && i < bytes.len; i += 3) {
                const size_t left = bytes.len - i;
                const uint32_t three = (uint32_t)bytes.data[i] << 16 |
                                       (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                                       (left > 2 ? bytes.data[i + 2] : 0);
                const char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                        left > 1 ? digits[three >> 6 & 63] : '=', left > 2 ? digits[three & 63] : '='};

                rc = buf_append(&text, four, sizeof(four));
        }
        if (rc == OK)
                rc = value_put_text(out, buf_slice(&text));
        buf_deinit(&text);
        return rc;
}

static int hex_digit(uint8_t c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\x0a0b": the form that bytea_output = hex, PostgreSQL's default, gives. */
static enum err put_bytea_text(struct slice text, struct buf *out)
{
        struct buf bytes;
        enum err rc = text.len < 2 || text.len % 2 != 0 || memcmp(text.data, "\\x", 2) != 0 ? ERR_CORRUPT : OK;

        buf_init(&bytes, 0);
        for (size_t i = 2; rc == OK && i < text.len; i += 2) {
                const int high = hex_digit(text.data[i]);
                const int low = hex_digit(text.data[i + 1]);
                const uint8_t byte = (uint8_t)(high * 16 + low);

                rc = high < 0 || low < 0 ? ERR_CORRUPT : buf_append(&bytes, &byte, 1);
        }
        if (rc == OK)
                rc = put_base64(buf_slice(&bytes), out);
        buf_deinit(&bytes);
        return rc;
}

/* ---- texts ---- */

/* What our values cannot hold (a member twice, U+0000, a depth beyond measure) is passed on as the text that it is. */
static enum err put_json(struct slice text, struct buf *out)
{
        static const struct value_json_rules rules = {
                .limits = {.bytes = 64u << 20, .depth = VALUE_DEPTH_MAX - 8, .elements = 1u << 22},
                .numbers = VALUE_NUMBERS_OR_TEXT};
        struct value_json_fault fault;
        enum err rc = value_from_json_text(text, &rules, out, &fault);

        return rc == ERR_BADVALUE || rc == ERR_LIMIT ? put_text(text, out) : rc;
}

static bool uuid_text(struct slice bytes, char out[UUID_TEXT_SIZE])
{
        char *at = out;

        if (bytes.len != UUID_SIZE)
                return false;
        for (size_t i = 0; i < UUID_SIZE; i++)
                at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes.data[i]);
        return true;
}

static bool time_kind(uint32_t type, enum pg_time_kind *kind)
{
        *kind = type == PG_TYPE_DATE ? PG_TIME_DATE : type == PG_TYPE_TIMESTAMP ? PG_TIME_LOCAL : PG_TIME_ZONED;
        return type == PG_TYPE_DATE || type == PG_TYPE_TIMESTAMP || type == PG_TYPE_TIMESTAMPTZ;
}

static enum err put_time(enum pg_time_kind kind, const struct pg_cell *cell, struct buf *out)
{
        char text[PG_TIME_TEXT_SIZE];
        bool sound = cell->binary ? pg_time_from_binary(kind, cell->bytes, text)
                                  : pg_time_from_text(kind, cell->bytes, text);

        return sound ? put_text(slice_str(text), out) : ERR_CORRUPT;
}

/* ---- the two forms ---- */

static enum err put_from_text(uint32_t type, struct slice text, struct buf *out)
{
        switch (type) {
        case PG_TYPE_BOOL: return text.len == 1 ? value_put_bool(out, text.data[0] == 't') : ERR_CORRUPT;
        case PG_TYPE_INT2:
        case PG_TYPE_INT4:
        case PG_TYPE_INT8:
        case PG_TYPE_OID: return put_int_text(text, out);
        case PG_TYPE_FLOAT4:
        case PG_TYPE_FLOAT8: return put_float_text(text, out);
        case PG_TYPE_NUMERIC: return put_numeric(text, out);
        case PG_TYPE_JSON:
        case PG_TYPE_JSONB: return put_json(text, out);
        case PG_TYPE_BYTEA: return put_bytea_text(text, out);
        default: return put_text(text, out);
        }
}

/* A number of 2, 4 or 8 bytes, as the type has. */
static bool read_int(uint32_t type, struct slice bytes, int64_t *out)
{
        struct cursor c = cursor_of(bytes);
        uint16_t two = 0;
        uint32_t four = 0;
        uint64_t eight = 0;
        bool sound;

        if (type == PG_TYPE_INT2) {
                sound = cursor_u16(&c, &two);
                *out = (int16_t)two;
        } else if (type == PG_TYPE_INT8) {
                sound = cursor_u64(&c, &eight);
                *out = (int64_t)eight;
        } else {
                sound = cursor_u32(&c, &four);
                *out = type == PG_TYPE_OID ? (int64_t)four : (int32_t)four;
        }
        return sound && cursor_left(&c) == 0;
}

static enum err put_int(uint32_t type, struct slice bytes, struct buf *out)
{
        int64_t integer;

        return read_int(type, bytes, &integer) ? value_put_int(out, integer) : ERR_CORRUPT;
}

static enum err put_float_binary(uint32_t type, struct slice bytes, struct buf *out)
{
        struct cursor c = cursor_of(bytes);
        uint32_t four;
        uint64_t eight;
        float single;
        double real;

        if (type == PG_TYPE_FLOAT4) {
                if (bytes.len != sizeof(four) || !cursor_u32(&c, &four))
                        return ERR_CORRUPT;
                memcpy(&single, &four, sizeof(single));
                return put_float4(single, out);
        }
        if (bytes.len != sizeof(eight) || !cursor_u64(&c, &eight))
                return ERR_CORRUPT;
        memcpy(&real, &eight, sizeof(real));
        return put_float(real, out);
}

static enum err put_from_binary(uint32_t type, struct slice bytes, struct buf *out)
{
        char uuid[UUID_TEXT_SIZE];

        switch (type) {
        case PG_TYPE_BOOL: return bytes.len == 1 ? value_put_bool(out, bytes.data[0] != 0) : ERR_CORRUPT;
        case PG_TYPE_INT2:
        case PG_TYPE_INT4:
        case PG_TYPE_INT8:
        case PG_TYPE_OID: return put_int(type, bytes, out);
        case PG_TYPE_FLOAT4:
        case PG_TYPE_FLOAT8: return put_float_binary(type, bytes, out);
        case PG_TYPE_JSONB:
                if (bytes.len < 1 || bytes.data[0] != JSONB_VERSION)
                        return ERR_CORRUPT;
                return put_json(slice_of(bytes.data + 1, bytes.len - 1), out);
        case PG_TYPE_JSON: return put_json(bytes, out);
        case PG_TYPE_BYTEA: return put_base64(bytes, out);
        case PG_TYPE_UUID: return uuid_text(bytes, uuid) ? value_put_str(out, uuid) : ERR_CORRUPT;
        default: return pg_decode_knows_binary(type) ? put_text(bytes, out) : ERR_CORRUPT;
        }
}

enum err pg_decode(const struct pg_cell *cell, struct buf *out)
{
        const uint32_t element = pg_array_element(cell->type);
        enum pg_time_kind kind;

        if (element != 0)
                return pg_array_decode(element, cell, out);
        if (time_kind(cell->type, &kind))
                return put_time(kind, cell, out);
        if (cell->binary)
                return put_from_binary(cell->type, cell->bytes, out);
        return put_from_text(cell->type, cell->bytes, out);
}

enum err pg_decode_text(const struct pg_cell *cell, struct buf *out)
{
        char uuid[UUID_TEXT_SIZE];
        int64_t integer;

        if (!cell->binary)
                return buf_append_slice(out, cell->bytes);
        switch (cell->type) {
        case PG_TYPE_INT2:
        case PG_TYPE_INT4:
        case PG_TYPE_INT8:
        case PG_TYPE_OID:
                if (!read_int(cell->type, cell->bytes, &integer))
                        return ERR_CORRUPT;
                return buf_printf(out, "%" PRId64, integer);
        case PG_TYPE_UUID: return uuid_text(cell->bytes, uuid) ? buf_append_str(out, uuid) : ERR_CORRUPT;
        case PG_TYPE_TEXT:
        case PG_TYPE_VARCHAR:
        case PG_TYPE_BPCHAR:
        case PG_TYPE_NAME: return buf_append_slice(out, cell->bytes);
        default: return ERR_CORRUPT;
        }
}

bool pg_decode_knows_binary(uint32_t type)
{
        const uint32_t element = pg_array_element(type);

        switch (element == 0 ? type : element) {
        case PG_TYPE_BOOL:
        case PG_TYPE_BYTEA:
        case PG_TYPE_NAME:
        case PG_TYPE_INT8:
        case PG_TYPE_INT2:
        case PG_TYPE_INT4:
        case PG_TYPE_TEXT:
        case PG_TYPE_OID:
        case PG_TYPE_JSON:
        case PG_TYPE_FLOAT4:
        case PG_TYPE_FLOAT8:
        case PG_TYPE_BPCHAR:
        case PG_TYPE_VARCHAR:
        case PG_TYPE_DATE:
        case PG_TYPE_TIMESTAMP:
        case PG_TYPE_TIMESTAMPTZ:
        case PG_TYPE_UUID:
        case PG_TYPE_JSONB: return true;
        default: return false;
        }
}
