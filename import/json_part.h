/* A part of a JSON document in both of its forms: the msgpack value that it was read into, and the text that it was
 * read from. The two are walked side by side, so that a part can be kept as it was written. Text that has been read
 * (value_from_json_text) is sound: walking it cannot fail but for a caller's mistake, which is a `false`. */
#ifndef IMPORT_JSON_PART_H
#define IMPORT_JSON_PART_H

#include "database/value.h"

struct json_part {
        struct slice value;
        struct slice text; /* may have space around it */
};

/* Walks the members of an object or the items of an array. */
struct json_part_iter {
        struct value_iter values;
        struct cursor text;
};

/* False when the part is not of `kind` (VALUE_LIST or VALUE_MAP). Pure; any thread. */
bool json_part_iter_init(struct json_part_iter *iter, const struct json_part *part, enum value_kind kind) MUST_CHECK;

/* The next item of an array; false at its end. Borrows from the part. Pure; any thread. */
bool json_part_next(struct json_part_iter *iter, struct json_part *item) MUST_CHECK;

/* The next member of an object; false at its end. Borrows from the part. Pure; any thread. */
bool json_part_next_member(struct json_part_iter *iter, struct slice *name, struct json_part *member) MUST_CHECK;

/* The member `name` of an object; false when there is none, or the part is none. Borrows. Pure; any thread. */
bool json_part_member(const struct json_part *part, const char *name, struct json_part *member) MUST_CHECK;

/* Appends a JSON text (one that has been read) without the white space between its tokens, and otherwise byte for byte:
 * numbers and escapes stay as they are spelled. Errors as buf_append; *out is then as before. Any thread. */
enum err json_part_compact(struct slice text, struct buf *out) MUST_CHECK;

#endif
