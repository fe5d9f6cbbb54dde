/* Values as JSON (RFC 8259), both ways. The model is database/value.h's; neither direction loses anything. */
#ifndef DATABASE_VALUE_JSON_H
#define DATABASE_VALUE_JSON_H

#include "database/reject.h"
#include "database/value.h"

/* Appends the JSON text of the msgpack value `value`: compact, members in stored order, UTF-8 as it is, integers exact,
 * floats in the fewest digits that read back as the same float. Builds no tree and allocates for *out only. ERR_CORRUPT
 * when `value` is not one whole value; errors as buf_append; *out is then as before. Any thread; pure. */
enum err value_to_json(struct slice value, struct buf *out) MUST_CHECK;

/* Appends `text` as a JSON string, quotes included; valid UTF-8 (the caller's promise). Errors as buf_append; *out may
 * then hold a part of it. Any thread; pure. */
enum err value_text_to_json(struct slice text, struct buf *out) MUST_CHECK;

/* What a number becomes that 64 bits cannot hold without loss: an integer past int64, or with more digits than a float
 * keeps. */
enum value_numbers {
        VALUE_NUMBERS_EXACT,  /* the JSON text is refused */
        VALUE_NUMBERS_OR_TEXT /* text, spelled as it was: for texts whose rest is wanted in any case */
};

struct value_json_rules {
        struct value_limits limits; /* bytes count for the JSON text */
        enum value_numbers numbers;
};

/* Why and where a JSON text was refused; lines and columns (in bytes) from 1. */
struct value_json_fault {
        enum reject_reason reason; /* REJECT_JSON, REJECT_ENCODING, REJECT_DEEP, REJECT_LONG */
        size_t line;
        size_t column;
        struct err_msg msg; /* the place and what is wrong there; quotes nothing of the text */
};

/* Appends the msgpack value of the JSON text `json`, every head in its shortest form. ERR_BADVALUE: the grammar, a
 * member named twice, a number (rules->numbers). ERR_LIMIT: a limit. *fault says which then, and where. ERR_NOMEM.
 * *out is as before after any error. Any thread. */
enum err value_from_json_text(struct slice json, const struct value_json_rules *rules, struct buf *out,
        struct value_json_fault *fault) MUST_CHECK;

/* The same with exact numbers, for those who only want the message. */
enum err value_from_json(
        struct slice json, const struct value_limits *limits, struct buf *out, struct err_msg *msg) MUST_CHECK;

#endif
