#include "database/value_json.h"

#include <stdio.h>
#include <stdlib.h>

static enum err write_escape(struct buf *out, uint8_t c)
{
        switch (c) {
        case '"': return buf_append(out, "\\\"", 2);
        case '\\': return buf_append(out, "\\\\", 2);
        case '\n': return buf_append(out, "\\n", 2);
        case '\r': return buf_append(out, "\\r", 2);
        case '\t': return buf_append(out, "\\t", 2);
        default: return buf_printf(out, "\\u%04x", c);
        }
}

/* Runs without anything to escape, which most texts are from end to end, are copied whole. */
enum err value_text_to_json(struct slice text, struct buf *out)
{
        size_t run = 0;
        enum err rc = buf_append(out, "\"", 1);

        for (size_t i = 0; rc == OK && i < text.len; i++) {
                uint8_t c = text.data[i];

                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                rc = buf_append(out, text.data + run, i - run);
                if (rc == OK)
                        rc = write_escape(out, c);
                run = i + 1;
        }
        if (rc == OK && run < text.len)
                rc = buf_append(out, text.data + run, text.len - run);
        return rc == OK ? buf_append(out, "\"", 1) : rc;
}

/* The fewest digits that read back as the same float: 15 always survive a trip through text, 17 always suffice. A float
 * without a fraction keeps its ".0", so that it comes back as a float. */
static enum err write_float(struct buf *out, double real)
{
        char text[32];
        enum err rc;

        for (int digits = 15; digits <= 17; digits++) {
                (void)snprintf(text, sizeof(text), "%.*g", digits, real);
                if (strtod(text, NULL) == real)
                        break;
        }
        rc = buf_append_str(out, text);
        if (rc == OK && strpbrk(text, ".e") == NULL)
                rc = buf_append_str(out, ".0");
        return rc;
}

static enum err write_int(struct buf *out, int64_t integer)
{
        char digits[20]; /* of -2^63 with its sign */
        char *at = digits + sizeof(digits);
        uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;

        do {
                *--at = (char)('0' + left % 10);
                left /= 10;
        } while (left > 0);
        if (integer < 0)
                *--at = '-';
        return buf_append(out, at, (size_t)(digits + sizeof(digits) - at));
}

static enum err write_item(struct buf *out, struct cursor *c, uint32_t depth);

static enum err write_children(struct buf *out, struct cursor *c, const struct value *v, uint32_t depth)
{
        bool map = v->kind == VALUE_MAP;
        enum err rc = buf_append(out, map ? "{" : "[", 1);

        for (uint32_t i = 0; rc == OK && i < v->as.count; i++) {
                struct value key;

                if (i > 0)
                        rc = buf_append(out, ",", 1);
                if (rc == OK && map) {
                        if (!value_read(c, &key) || key.kind != VALUE_TEXT)
                                return ERR_CORRUPT;
                        rc = value_text_to_json(key.as.text, out);
                        if (rc == OK)
                                rc = buf_append(out, ":", 1);
                }
                if (rc == OK)
                        rc = write_item(out, c, depth + 1);
        }
        return rc == OK ? buf_append(out, map ? "}" : "]", 1) : rc;
}

static enum err write_item(struct buf *out, struct cursor *c, uint32_t depth)
{
        struct value v;

        if (depth > VALUE_DEPTH_MAX || !value_read(c, &v))
                return ERR_CORRUPT;
        switch (v.kind) {
        case VALUE_NIL: return buf_append(out, "null", 4);
        case VALUE_BOOL: return v.as.flag ? buf_append(out, "true", 4) : buf_append(out, "false", 5);
        case VALUE_INT: return write_int(out, v.as.integer);
        case VALUE_FLOAT: return write_float(out, v.as.real);
        case VALUE_TEXT: return value_text_to_json(v.as.text, out);
        case VALUE_LIST:
        case VALUE_MAP: return write_children(out, c, &v, depth);
        }
        return ERR_INTERNAL;
}

enum err value_to_json(struct slice value, struct buf *out)
{
        struct cursor c = cursor_of(value);
        size_t before = buf_len(out);
        enum err rc = write_item(out, &c, 0);

        if (rc == OK && cursor_left(&c) > 0)
                rc = ERR_CORRUPT;
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
