/* One client connection: bytes in, commands run, bytes out. It belongs to one lane and is only touched on its loop.
 *
 *      readable: one read() -> now -> run commands until the frame is incomplete, the output is full enough,
 *                or a command must wait -> one write()
 *
 * Back-pressure: past limits.client_output_pause bytes of unsent output no further command is run, and soon nothing
 * more is read. Fair turns: one read() of at most limits.client_turn_bytes, and commands of limits.client_turn_words
 * words; what is left waits until all that is ready on other connections has had its turn (lane_mark_later). */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"

struct conn;
struct lane;
struct reply_slot;
struct session;

/* Takes over the connected, non-blocking socket `fd` and begins to read. ERR_NOMEM, ERR_IO: `fd` is closed then. */
enum err conn_create(struct lane *lane, int fd) MUST_CHECK;

/* Closes the socket now. The memory goes when the last of its commands under way has ended. */
void conn_close(struct conn *conn);

/* Answers what has been read, then closes (graceful stop). May close it before it returns. */
void conn_begin_stop(struct conn *conn);

/* Moves finished replies on, runs what waited for them, writes. For the lane's list of connections to service. */
void conn_service(struct conn *conn, struct nanos now);

/* A deferred reply is complete (call_finish). */
void conn_reply_done(struct conn *conn, struct reply_slot *slot);

/* Sends an invalidation message to a subscriber; one for which too much waits then is closed. */
void conn_send_message(struct conn *conn, struct slice channel, struct slice payload);

/* Joins or leaves the lane's subscribers. */
void conn_subscribe(struct conn *conn, bool subscribe);

/* Closes the connection if what it has unsent is, by the options limits.*_output_*, too much, or has been there too
 * long. For the lane's list of connections that have output unsent. */
void conn_check_output(struct conn *conn, struct nanos now);

/* The connection in the lane's lists. */
struct conn *conn_of_link(struct list *link);
struct conn *conn_of_dirty(struct list *link);
struct conn *conn_of_subscriber(struct list *link);
struct conn *conn_of_unsent(struct list *link);

/* When bytes last came. */
struct nanos conn_last_active(const struct conn *conn);
bool conn_is_subscribed(const struct conn *conn);

/* As CLIENT ID has it. */
uint64_t conn_id(const struct conn *conn);

/* Bytes that the connection takes, as they were after its last turn: itself, its buffers, its replies under way. */
size_t conn_held_memory(const struct conn *conn);

/* One line as CLIENT LIST has it, without a line end. Errors as buf_append. */
enum err conn_describe(const struct conn *conn, struct nanos now, struct buf *out) MUST_CHECK;

#endif
