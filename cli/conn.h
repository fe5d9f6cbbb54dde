/* The connection to the server, by hiredis (0.14 and 1.x), in RESP2. One owner at a time. */
#ifndef CLI_CONN_H
#define CLI_CONN_H

#include "base/buf.h"
#include "base/err.h"

#include <hiredis/hiredis.h>

struct conn;

struct conn_address {
        const char *host;
        uint16_t port;
        const char *socket; /* not NULL: in place of host and port */
};

/* Connects within five seconds. ERR_UNAVAILABLE names the address and the reason; ERR_NOMEM; *out is NULL then. */
enum err conn_open(struct conn **out, const struct conn_address *address, struct err_msg *msg) MUST_CHECK;
void conn_close(struct conn **conn);

enum { CONN_WORDS_MAX = 4096, CONN_PIECES_MAX = 8 };

/* A command, word by word; words are borrowed until it is sent. */
struct conn_command {
        const char *words[CONN_WORDS_MAX];
        size_t lengths[CONN_WORDS_MAX];
        int count;
};

/* Adds a word. ERR_LIMIT at CONN_WORDS_MAX. */
enum err conn_add(struct conn_command *command, struct slice word) MUST_CHECK;

/* Puts the command behind those on their way; nothing is sent before conn_receive. ERR_NOMEM. */
enum err conn_send(struct conn *conn, const struct conn_command *command) MUST_CHECK;

/* Sends bytes, piece after piece, at once and without a copy: a command that the caller has put into RESP itself,
 * behind those of conn_send. At most CONN_PIECES_MAX pieces. Waits while the server takes no more. ERR_UNAVAILABLE: the
 * connection broke. */
enum err conn_write(struct conn *conn, const struct slice *pieces, size_t count, struct err_msg *msg) MUST_CHECK;

/* The reply to the oldest command on its way; the caller frees it with freeReplyObject. An error of the server is a
 * reply, too (REDIS_REPLY_ERROR). ERR_UNAVAILABLE: the connection broke, and can only be closed. */
enum err conn_receive(struct conn *conn, redisReply **reply, struct err_msg *msg) MUST_CHECK;

/* Sends one command and waits for its reply; no other may be on its way. */
enum err conn_call(
        struct conn *conn, const struct conn_command *command, redisReply **reply, struct err_msg *msg) MUST_CHECK;

#endif
