/* Values: what a record is made of, as msgpack bytes (github.com/msgpack/msgpack, spec.md).
 *
 * The model is what JSON and msgpack share, so that each value has both forms and neither loses anything: nil, boolean,
 * 64-bit signed integer, finite 64-bit float, UTF-8 text, list, and map with text keys that differ. No binary, no
 * extension types, no integers past int64, no NaN or infinity.
 *
 * Foreign bytes pass value_check once; after that any code may walk them. Walking copies nothing and builds no tree: an
 * item is a slice of the whole, read with the calls below. They are bounded all the same, so that damaged stored bytes
 * are a `false`, never a crash. Building appends to a struct buf; every head is in its shortest form.
 *
 * All calls are pure but for the buffer they append to; any thread. */
#ifndef DATABASE_VALUE_H
#define DATABASE_VALUE_H

#include "base/buf.h"
#include "base/cursor.h"

enum value_kind { VALUE_NIL, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

enum { VALUE_DEPTH_MAX = 64 }; /* no limit may be set above it: walking recurses so far */

struct value_limits {
        size_t bytes;      /* of the encoded value */
        uint32_t depth;    /* lists and maps in one another; 1: a flat list */
        uint32_t elements; /* items in all, a map's members counting once each */
};

#define VALUE_LIMITS_DEFAULT ((struct value_limits){.bytes = 16u << 20, .depth = 32, .elements = 1u << 20})

/* The head of an item. */
struct value {
        enum value_kind kind;
        union {
                bool flag;
                int64_t integer;
                double real;
                struct slice text; /* borrows */
                uint32_t count;    /* items of a list, members of a map; they follow */
        } as;
};

/* Checks that `bytes` is exactly one value of the model within the limits. ERR_BADVALUE names the byte and what is
 * wrong there, ERR_LIMIT names the limit, ERR_NOMEM (maps of many members are checked for twins with a sorted list). */
enum err value_check(struct slice bytes, const struct value_limits *limits, struct err_msg *msg) MUST_CHECK;

/* ---- walking ---- */

/* Reads the head at the cursor; behind it stands the first child, or the next item when there are no children. False:
 * the bytes end early or are outside the model; the cursor has not moved. */
bool value_read(struct cursor *c, struct value *out) MUST_CHECK;

/* Passes over one whole item, children included; *item is its bytes. False: as value_read. */
bool value_take(struct cursor *c, struct slice *item) MUST_CHECK;

/* The head of the item `item`. False: as value_read. */
bool value_of(struct slice item, struct value *out) MUST_CHECK;

/* Whether the item is nil. */
static inline bool value_is_nil(struct slice item)
{
        return item.len == 1 && item.data[0] == 0xc0;
}

/* Whether the item has the bytes that value_put_canonical() would make of it. The item must be sound (value_take). */
bool value_is_canonical(struct slice item) MUST_CHECK;

/* The text of the item `item`; false when it is none. */
bool value_text(struct slice item, struct slice *text) MUST_CHECK;

/* Walks the items of a list or the members of a map. */
struct value_iter {
        struct cursor at;
        uint32_t left; /* items or members not yet passed */
};

/* False when `item` is not of `kind` (VALUE_LIST or VALUE_MAP). */
bool value_iter_init(struct value_iter *iter, struct slice item, enum value_kind kind) MUST_CHECK;

/* The next item of a list. False at the end, and at damage: then `left` is not 0. */
bool value_next(struct value_iter *iter, struct slice *item) MUST_CHECK;

/* The next member of a map. False as value_next. */
bool value_next_member(struct value_iter *iter, struct slice *key, struct slice *item) MUST_CHECK;

/* The member `name` of a map; false when there is none, or `map` is none. */
bool value_member(struct slice map, const char *name, struct slice *item) MUST_CHECK;

/* The text of the member `name` of a map; false when there is no such member, or it is no text. */
bool value_member_text(struct slice map, const char *name, struct slice *text) MUST_CHECK;

/* An element that equals another one, or NULL when all differ; `texts` may be in another order then. n log n, whatever
 * they are. */
const struct slice *value_find_twin(struct slice *texts, size_t count) MUST_CHECK;

/* ---- building: each appends to *out; errors as buf_append ---- */

/* Nil. */
enum err value_put_nil(struct buf *out) MUST_CHECK;
/* True or false. */
enum err value_put_bool(struct buf *out, bool flag) MUST_CHECK;
/* A whole number, in as few bytes as hold it. */
enum err value_put_int(struct buf *out, int64_t integer) MUST_CHECK;
/* A float of 64 bits; finite (the caller's promise). */
enum err value_put_float(struct buf *out, double real) MUST_CHECK;
/* Text; valid UTF-8 (the caller's promise). */
enum err value_put_text(struct buf *out, struct slice text) MUST_CHECK;
/* Text of a terminated string. */
enum err value_put_str(struct buf *out, const char *text) MUST_CHECK;
/* The head; the caller appends `count` items, or `count` times a text and an item. */
enum err value_put_list(struct buf *out, uint32_t count) MUST_CHECK;
enum err value_put_map(struct buf *out, uint32_t count) MUST_CHECK;
/* A member whose value is text. */
enum err value_put_member(struct buf *out, const char *name, struct slice text) MUST_CHECK;
/* A copy of the item `item`, every head in its shortest form and floats in 64 bits, so that equal values have equal
 * bytes (the order of members is kept). ERR_CORRUPT when `item` is not a value. */
enum err value_put_canonical(struct buf *out, struct slice item) MUST_CHECK;

/* A list or map whose count is known only when it is complete: `open` appends a head of fixed size and returns its
 * place in *mark, `close` writes the count. Nothing before the mark may be consumed in between. */
enum err value_open_list(struct buf *out, size_t *mark) MUST_CHECK;
enum err value_open_map(struct buf *out, size_t *mark) MUST_CHECK;
void value_close(struct buf *out, size_t mark, uint32_t count);
/* As value_close for a map, with its head in the shortest form: what follows moves to the front. */
void value_close_map(struct buf *out, size_t mark, uint32_t count);

#endif
