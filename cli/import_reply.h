/* What the server says to an import, read from its replies. All calls on replies are pure. */
#ifndef CLI_IMPORT_REPLY_H
#define CLI_IMPORT_REPLY_H

#include "cli/conn.h"
#include "database/reject.h"

/* The most that one value may have: its bytes, and the items in it. */
struct import_limits {
        size_t bytes;
        size_t elements;
};

/* Tells the server that values come as msgpack. ERR_UNAVAILABLE; ERR_INTERNAL with the server's error. */
enum err import_reply_use_msgpack(struct conn *conn, struct err_msg *msg) MUST_CHECK;

/* Asks for the limits. Errors as above. */
enum err import_reply_limits(struct conn *conn, struct import_limits *out, struct err_msg *msg) MUST_CHECK;

enum import_reply_kind {
        IMPORT_TAKEN,     /* all of them, or all but those listed */
        IMPORT_NO_TABLE,  /* none: there is no such table */
        IMPORT_TOO_LARGE, /* none: the value is beyond a limit */
        IMPORT_NOT_VALID, /* none: it is no value, or no list of rows */
        IMPORT_FAILED     /* for a reason that is not in the rows: reply->str */
};

/* What kind of reply to an IMPORT it is. */
enum import_reply_kind import_reply_kind(const redisReply *reply);

/* A reply that is IMPORT_TAKEN; borrows from it. */
struct import_outcome {
        const char *token;
        uint64_t written;
        uint64_t unchanged;
        const redisReply *rejected; /* NULL: none */
        size_t left_out;            /* how many there are in it */
};

/* ERR_INTERNAL when it is not as IMPORT's reply should be. */
enum err import_reply_outcome(const redisReply *reply, struct import_outcome *out, struct err_msg *msg) MUST_CHECK;

/* The token of such a reply, or of another one of its shape; borrows. False when it has none. */
bool import_reply_token(const redisReply *reply, const char **out) MUST_CHECK;

/* The count `name` of such a reply, or of another one of its shape; false when it has none. */
bool import_reply_count(const redisReply *reply, const char *name, uint64_t *out) MUST_CHECK;

/* Whether the `n`-th row left out, from 0, is the row `row`; *reject is why, REJECT_SERVER when the word is unknown
 * here. */
bool import_reply_left_out(
        const struct import_outcome *outcome, size_t n, uint32_t row, struct reject *reject) MUST_CHECK;

/* ERR_INTERNAL: the server said what none should say. */
enum err import_reply_strange(struct err_msg *msg);

#endif
