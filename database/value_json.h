/* Values as JSON (RFC 8259), both ways. The model is database/value.h's; neither direction loses anything. */
#ifndef DATABASE_VALUE_JSON_H
#define DATABASE_VALUE_JSON_H

#include "database/value.h"

/* Appends the JSON text of the msgpack value `value`: compact, members in stored order, UTF-8 as it is, integers exact,
 * floats in the fewest digits that read back as the same float. Builds no tree and allocates for *out only. ERR_CORRUPT
 * when `value` is not one whole value; errors as buf_append; *out is then as before. Any thread; pure. */
enum err value_to_json(struct slice value, struct buf *out) MUST_CHECK;

/* Appends the msgpack value of the JSON text `json`. ERR_BADVALUE names line, column and what is wrong there: the
 * grammar, a member named twice, a number that 64 bits cannot hold without loss. ERR_LIMIT names the limit (of
 * `limits`, bytes count for the text and for the value). ERR_NOMEM. *out is then as before. Any thread. */
enum err value_from_json(
        struct slice json, const struct value_limits *limits, struct buf *out, struct err_msg *msg) MUST_CHECK;

#endif
