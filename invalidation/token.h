/* Tokens: what a write replies with, and what a later read (AFTER) or a conditional write (PUT … IF) refers to: a
 * place in one history of the database. In text `v1-<epoch>-<n>`, e.g. v1-00c1a5…-2f: the epoch as 16, n as 1 to 16
 * lower-case hexadecimal digits, n without leading zeros. To clients it is opaque. */
#ifndef INVALIDATION_TOKEN_H
#define INVALIDATION_TOKEN_H

#include "base/err.h"
#include "base/slice.h"

struct token {
        uint64_t epoch;
        uint64_t n; /* in what the source counts its writes in; LMDB: the position */
};

enum { TOKEN_TEXT_SIZE = 3 + 16 + 1 + 16 + 1 };

/* Writes the terminated text into `out` of TOKEN_TEXT_SIZE bytes and returns its length. Any thread; pure. */
size_t token_format(const struct token *token, char *out);

/* Reads the text, in exactly the form that token_format writes. ERR_BADTOKEN; *out is unchanged then. Any thread;
 * pure. */
enum err token_parse(struct slice text, struct token *out, struct err_msg *msg) MUST_CHECK;

#endif
