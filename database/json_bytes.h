/* JSON texts by their bytes: what can be wrong below the grammar, and where a byte is. */
#ifndef DATABASE_JSON_BYTES_H
#define DATABASE_JSON_BYTES_H

#include "base/buf.h"
#include "database/reject.h"

struct json_bytes_fault {
        enum reject_reason reason; /* REJECT_JSON, REJECT_ENCODING */
        size_t at;                 /* the place of the byte */
        const char *what;          /* a literal */
};

/* False when the bytes cannot be a JSON text whatever the grammar says: control characters other than tab, LF and CR,
 * what is not UTF-8, \u escapes with half of a surrogate pair. *wrong is set then. Pure; any thread. */
bool json_bytes_check(struct slice json, struct json_bytes_fault *wrong) MUST_CHECK;

/* Line and column (in bytes) of a place in the text, both from 1. Pure; any thread. */
void json_bytes_locate(struct slice json, size_t at, size_t *line, size_t *column);

/* Whether the byte at `at`, within a string of a JSON text, is escaped: an odd number of backslashes stand before it.
 * The first quote of the string must be readable. Pure; any thread. */
static inline bool json_bytes_is_escaped(const uint8_t *at)
{
        bool escaped = false;

        while (*--at == '\\')
                escaped = !escaped;
        return escaped;
}

/* Appends `text` with U+FFFD in place of each byte that is of no UTF-8 character. Errors as buf_append; *out is then as
 * before. Any thread. */
enum err json_bytes_repair(struct slice text, struct buf *out) MUST_CHECK;

#endif
