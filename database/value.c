#include "database/value.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* Why no msgpack library reads here: msgpack-c's unpacker builds a tree of objects in a zone of its own, outside our
 * allocation hook, for bytes that we mostly pass on or look up one member of. Walking the bytes through a bounded
 * cursor takes the table below and copies nothing. Writing, in database/value_put.c, is the library's. */

/* ---- heads ---- */

static bool head_integer(struct cursor *c, uint8_t width, bool is_signed, struct value *out)
{
        struct slice bytes;
        uint64_t raw = 0;

        if (!cursor_take(c, width, &bytes))
                return false;
        for (size_t i = 0; i < width; i++)
                raw = raw << 8 | bytes.data[i];
        if (is_signed) {
                unsigned unused = 64u - 8u * width;

                out->as.integer = (int64_t)(raw << unused) >> unused; /* the sign bit of `width` bytes spreads */
        } else {
                if (raw > INT64_MAX)
                        return false;
                out->as.integer = (int64_t)raw;
        }
        out->kind = VALUE_INT;
        return true;
}

static bool head_float(struct cursor *c, uint8_t width, struct value *out)
{
        uint64_t bits64;
        uint32_t bits32;
        float single;

        if (width == 8) {
                if (!cursor_u64(c, &bits64))
                        return false;
                memcpy(&out->as.real, &bits64, sizeof(bits64));
        } else {
                if (!cursor_u32(c, &bits32))
                        return false;
                memcpy(&single, &bits32, sizeof(bits32));
                out->as.real = (double)single;
        }
        out->kind = VALUE_FLOAT;
        return isfinite(out->as.real);
}

/* The count or length behind a head byte, in `width` bytes. */
static bool head_length(struct cursor *c, uint8_t width, uint32_t *out)
{
        uint8_t one;
        uint16_t two;

        if (width == 4)
                return cursor_u32(c, out);
        if (width == 2) {
                if (!cursor_u16(c, &two))
                        return false;
                *out = two;
                return true;
        }
        if (!cursor_u8(c, &one))
                return false;
        *out = one;
        return true;
}

static bool head_text(struct cursor *c, uint32_t len, struct value *out)
{
        out->kind = VALUE_TEXT;
        return cursor_take(c, len, &out->as.text);
}

static bool head_children(enum value_kind kind, uint32_t count, struct value *out)
{
        out->kind = kind;
        out->as.count = count;
        return true;
}

/* Heads 0xc0 to 0xdf with bytes of their own behind them (spec.md, "Formats"). What is missing is not of the model:
 * 0xc1 is never used, 0xc4-0xc9 and 0xd4-0xd8 are binary and extensions. */
enum head_form { FORM_NONE, FORM_NIL, FORM_BOOL, FORM_UINT, FORM_INT, FORM_FLOAT, FORM_TEXT, FORM_LIST, FORM_MAP };

static const struct {
        uint8_t form;
        uint8_t width; /* bytes of the number, length or count; FORM_BOOL: the value */
} LONG_HEADS[32] = {
        [0x00] = {FORM_NIL, 0},
        [0x02] = {FORM_BOOL, 0},
        [0x03] = {FORM_BOOL, 1},
        [0x0a] = {FORM_FLOAT, 4},
        [0x0b] = {FORM_FLOAT, 8},
        [0x0c] = {FORM_UINT, 1},
        [0x0d] = {FORM_UINT, 2},
        [0x0e] = {FORM_UINT, 4},
        [0x0f] = {FORM_UINT, 8},
        [0x10] = {FORM_INT, 1},
        [0x11] = {FORM_INT, 2},
        [0x12] = {FORM_INT, 4},
        [0x13] = {FORM_INT, 8},
        [0x19] = {FORM_TEXT, 1},
        [0x1a] = {FORM_TEXT, 2},
        [0x1b] = {FORM_TEXT, 4},
        [0x1c] = {FORM_LIST, 2},
        [0x1d] = {FORM_LIST, 4},
        [0x1e] = {FORM_MAP, 2},
        [0x1f] = {FORM_MAP, 4},
};

static bool read_long_head(struct cursor *c, uint8_t head, struct value *out)
{
        uint8_t width = LONG_HEADS[head - 0xc0].width;
        uint32_t len;

        switch (LONG_HEADS[head - 0xc0].form) {
        case FORM_NIL: out->kind = VALUE_NIL; return true;
        case FORM_BOOL:
                out->kind = VALUE_BOOL;
                out->as.flag = width != 0;
                return true;
        case FORM_UINT: return head_integer(c, width, false, out);
        case FORM_INT: return head_integer(c, width, true, out);
        case FORM_FLOAT: return head_float(c, width, out);
        case FORM_TEXT: return head_length(c, width, &len) && head_text(c, len, out);
        case FORM_LIST: return head_length(c, width, &len) && head_children(VALUE_LIST, len, out);
        case FORM_MAP: return head_length(c, width, &len) && head_children(VALUE_MAP, len, out);
        default: return false;
        }
}

static bool read_head(struct cursor *c, struct value *out)
{
        uint8_t head;

        if (!cursor_u8(c, &head))
                return false;
        if ((head & 0xe0) == 0xa0) /* the most of all: names, and short texts */
                return head_text(c, head & 0x1f, out);
        if (head <= 0x7f || head >= 0xe0) { /* small integers, -32 to 127 */
                out->kind = VALUE_INT;
                out->as.integer = (int8_t)head;
                return true;
        }
        if (head <= 0x8f)
                return head_children(VALUE_MAP, head & 0x0f, out);
        if (head <= 0x9f)
                return head_children(VALUE_LIST, head & 0x0f, out);
        return read_long_head(c, head, out);
}

/* ---- walking ---- */

/* A text of at most 31 bytes, which is what nearly all members are made of. False: it is something else. */
static inline bool take_short_text(struct cursor *c, struct slice *text)
{
        size_t len;

        if (cursor_left(c) == 0 || (*c->at & 0xe0) != 0xa0)
                return false;
        len = *c->at & 0x1f;
        if (len >= cursor_left(c))
                return false;
        *text = slice_of(c->at + 1, len);
        c->at += 1 + len;
        return true;
}

bool value_read(struct cursor *c, struct value *out)
{
        struct cursor ahead = *c;

        if (!read_head(&ahead, out))
                return false;
        *c = ahead;
        return true;
}

/* Passes over an item without children that says how long it is in its first byte or two, as nearly all do: small
 * integers, nil, booleans and short texts. False: it is none of them, or ends early. */
static inline bool skip_short(struct cursor *c)
{
        size_t left = cursor_left(c);
        uint8_t head = left == 0 ? 0xff : *c->at;
        size_t len;

        if (head >= 0xa0 && head <= 0xbf)
                len = 1 + (head & 0x1fu);
        else if (head == 0xd9 && left >= 2)
                len = 2 + (size_t)c->at[1];
        else if (head <= 0x7f || head == 0xc0 || head == 0xc2 || head == 0xc3)
                len = 1;
        else
                return false;
        if (len > left)
                return false;
        c->at += len;
        return true;
}

/* A count of what is still to pass takes the place of recursion: each head pays for itself and owes its children. A
 * count that lies runs into the end of the bytes. */
bool value_take(struct cursor *c, struct slice *item)
{
        struct cursor ahead = *c;
        struct value v;
        uint64_t owed = 1;

        while (owed > 0) {
                owed--;
                if (skip_short(&ahead))
                        continue;
                if (!read_head(&ahead, &v))
                        return false;
                if (v.kind == VALUE_LIST)
                        owed += v.as.count;
                else if (v.kind == VALUE_MAP)
                        owed += 2 * (uint64_t)v.as.count;
                if (owed > cursor_left(&ahead)) /* an item is one byte at least */
                        return false;
        }
        *item = slice_of(c->at, (size_t)(ahead.at - c->at));
        *c = ahead;
        return true;
}

bool value_of(struct slice item, struct value *out)
{
        struct cursor c = cursor_of(item);

        if (!take_short_text(&c, &out->as.text))
                return read_head(&c, out);
        out->kind = VALUE_TEXT;
        return true;
}

/* Whether a head is the shortest that can be for what it says; floats are kept in 64 bits. */
static bool is_shortest(uint8_t head, const struct value *v)
{
        uint32_t n = v->kind == VALUE_TEXT ? (uint32_t)v->as.text.len : v->as.count;
        int64_t i = v->as.integer;

        switch (head) {
        case 0xca: return false;
        case 0xcc: return i > 0x7f;
        case 0xcd: return i > UINT8_MAX;
        case 0xce: return i > UINT16_MAX;
        case 0xcf: return i > UINT32_MAX;
        case 0xd0: return i < -32;
        case 0xd1: return i < INT8_MIN;
        case 0xd2: return i < INT16_MIN;
        case 0xd3: return i < INT32_MIN;
        case 0xd9: return n > 31;
        case 0xda: return n > UINT8_MAX;
        case 0xdc:
        case 0xde: return n > 15;
        case 0xdb:
        case 0xdd:
        case 0xdf: return n > UINT16_MAX;
        default: return true;
        }
}

bool value_is_canonical(struct slice item)
{
        struct cursor c = cursor_of(item);
        struct slice text;
        struct value v;

        while (cursor_left(&c) > 0) {
                uint8_t head = *c.at;

                if (take_short_text(&c, &text))
                        continue;
                if (!read_head(&c, &v) || !is_shortest(head, &v))
                        return false;
        }
        return true;
}

bool value_text(struct slice item, struct slice *text)
{
        struct value v;

        if (!value_of(item, &v) || v.kind != VALUE_TEXT)
                return false;
        *text = v.as.text;
        return true;
}

bool value_iter_init(struct value_iter *iter, struct slice item, enum value_kind kind)
{
        struct value v;

        VC_ASSERT(kind == VALUE_LIST || kind == VALUE_MAP);
        iter->at = cursor_of(item);
        iter->left = 0;
        if (!value_read(&iter->at, &v) || v.kind != kind)
                return false;
        iter->left = v.as.count;
        return true;
}

bool value_next(struct value_iter *iter, struct slice *item)
{
        if (iter->left == 0 || !value_take(&iter->at, item))
                return false;
        iter->left--;
        return true;
}

bool value_next_member(struct value_iter *iter, struct slice *key, struct slice *item)
{
        struct cursor ahead = iter->at;
        const uint8_t *start;
        struct slice text;
        struct value v;

        if (iter->left == 0)
                return false;
        if (!take_short_text(&ahead, key)) {
                if (!value_read(&ahead, &v) || v.kind != VALUE_TEXT)
                        return false;
                *key = v.as.text;
        }
        start = ahead.at;
        if (take_short_text(&ahead, &text))
                *item = slice_of(start, (size_t)(ahead.at - start));
        else if (!value_take(&ahead, item))
                return false;
        iter->at = ahead;
        iter->left--;
        return true;
}

bool value_member(struct slice map, const char *name, struct slice *item)
{
        struct value_iter iter;
        struct slice key;

        if (!value_iter_init(&iter, map, VALUE_MAP))
                return false;
        while (value_next_member(&iter, &key, item))
                if (slice_equal(key, slice_str(name)))
                        return true;
        return false;
}

bool value_member_text(struct slice map, const char *name, struct slice *text)
{
        struct slice item;

        return value_member(map, name, &item) && value_text(item, text);
}

static int compare_slices(const void *a, const void *b)
{
        return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Of few texts each pair is compared, which most lengths decide at once: that is quicker than to sort them. */
static const struct slice *find_twin_of_few(const struct slice *texts, size_t count)
{
        for (size_t i = 1; i < count; i++)
                for (size_t j = 0; j < i; j++)
                        if (slice_equal(texts[i], texts[j]))
                                return &texts[i];
        return NULL;
}

const struct slice *value_find_twin(struct slice *texts, size_t count)
{
        enum { FEW = 24 };

        if (count <= FEW)
                return find_twin_of_few(texts, count);
        qsort(texts, count, sizeof(*texts), compare_slices);
        for (size_t i = 1; i < count; i++)
                if (slice_equal(texts[i - 1], texts[i]))
                        return &texts[i];
        return NULL;
}

/* ---- checking ---- */

struct checker {
        const struct value_limits *limits;
        struct err_msg *msg;
        const uint8_t *start;
        struct cursor at;
        uint32_t elements; /* seen so far */
};

static enum err bad_value(const struct checker *ck, const uint8_t *at, const char *what)
{
        return err_set(ck->msg, ERR_BADVALUE, "msgpack at byte %zu: %s", (size_t)(at - ck->start), what);
}

/* Says what is wrong where value_read failed. */
static enum err explain_head(const struct checker *ck)
{
        struct slice left = slice_of(ck->at.at, cursor_left(&ck->at));
        uint8_t head = left.len > 0 ? left.data[0] : 0;

        if (left.len == 0)
                return bad_value(ck, left.data, "the value ends early");
        if (head == 0xc1)
                return bad_value(ck, left.data, "0xc1 begins no value");
        if (head >= 0xc4 && head <= 0xc6)
                return bad_value(ck, left.data, "binary is not supported; text is");
        if ((head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8))
                return bad_value(ck, left.data, "extension types (timestamps among them) are not supported; text is");
        if (head == 0xcf && left.len >= 9)
                return bad_value(ck, left.data, "the integer is larger than 9223372036854775807");
        if ((head == 0xca && left.len >= 5) || (head == 0xcb && left.len >= 9))
                return bad_value(ck, left.data, "NaN and infinity are not supported");
        return bad_value(ck, left.data, "the value ends early");
}

/* Whether two of a map's keys are equal: sorted, twins are neighbours, and a crafted map costs n log n at most. The few
 * keys of nearly all maps are sorted on the stack. The map has been walked once: its members are sound. */
static enum err find_twin_keys(const struct checker *ck, struct slice map, uint32_t count)
{
        enum { FEW = 24 };
        struct slice few[FEW];
        struct slice *keys = few;
        const struct slice *twin;
        struct slice item;
        struct value_iter iter;
        enum err rc = OK;

        if (count > FEW)
                keys = vc_malloc(count * sizeof(*keys));
        if (keys == NULL)
                return err_set(ck->msg, ERR_NOMEM, "out of memory checking a map of %u members", count);
        if (!value_iter_init(&iter, map, VALUE_MAP))
                rc = ERR_INTERNAL;
        for (uint32_t i = 0; rc == OK && i < count; i++)
                if (!value_next_member(&iter, &keys[i], &item))
                        rc = ERR_INTERNAL;
        twin = rc == OK ? value_find_twin(keys, count) : NULL;
        if (twin != NULL)
                rc = bad_value(ck, twin->data, "the member has the same name as another one");
        if (keys != few)
                vc_free(keys);
        return rc;
}

static enum err check_item(struct checker *ck, uint32_t depth);

static enum err check_key(struct checker *ck)
{
        const uint8_t *at = ck->at.at;
        struct value v;

        if (!value_read(&ck->at, &v))
                return explain_head(ck);
        if (v.kind != VALUE_TEXT)
                return bad_value(ck, at, "a member's name must be text");
        if (!slice_is_utf8(v.as.text))
                return bad_value(ck, at, "the member's name is not valid UTF-8");
        if (v.as.text.len > 0 && memchr(v.as.text.data, '\0', v.as.text.len) != NULL)
                return bad_value(ck, at, "the member's name has a NUL in it");
        return OK;
}

static enum err check_children(struct checker *ck, const struct value *v, const uint8_t *start, uint32_t depth)
{
        if (depth >= ck->limits->depth)
                return err_set(ck->msg, ERR_LIMIT, "msgpack at byte %zu: nested deeper than %u",
                        (size_t)(start - ck->start), ck->limits->depth);
        for (uint32_t i = 0; i < v->as.count; i++) {
                enum err rc = v->kind == VALUE_MAP ? check_key(ck) : OK;

                if (rc == OK)
                        rc = check_item(ck, depth + 1);
                if (rc != OK)
                        return rc;
        }
        if (v->kind == VALUE_MAP && v->as.count > 1)
                return find_twin_keys(ck, slice_of(start, (size_t)(ck->at.at - start)), v->as.count);
        return OK;
}

static enum err check_item(struct checker *ck, uint32_t depth)
{
        const uint8_t *start = ck->at.at;
        struct value v;

        if (ck->elements >= ck->limits->elements)
                return err_set(ck->msg, ERR_LIMIT, "the value has more than %u items", ck->limits->elements);
        ck->elements++;
        if (!value_read(&ck->at, &v))
                return explain_head(ck);
        if (v.kind == VALUE_TEXT && !slice_is_utf8(v.as.text))
                return bad_value(ck, start, "the text is not valid UTF-8");
        if (v.kind == VALUE_LIST || v.kind == VALUE_MAP)
                return check_children(ck, &v, start, depth);
        return OK;
}

enum err value_check(struct slice bytes, const struct value_limits *limits, struct err_msg *msg)
{
        struct checker ck = {.limits = limits, .msg = msg, .start = bytes.data, .at = cursor_of(bytes)};
        enum err rc;

        VC_ASSERT(limits->depth <= VALUE_DEPTH_MAX);
        if (bytes.len > limits->bytes)
                return err_set(
                        msg, ERR_LIMIT, "the value has %zu bytes; at most %zu are allowed", bytes.len, limits->bytes);
        rc = check_item(&ck, 0);
        if (rc == OK && cursor_left(&ck.at) > 0)
                rc = bad_value(&ck, ck.at.at, "there are bytes after the value");
        return rc;
}
