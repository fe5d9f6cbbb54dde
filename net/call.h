/* One command being run: what its handler gets, and how a handler that cannot answer at once lets the connection go on.
 *
 *      enum err cmd_x(struct call *call)
 *
 * A handler writes its reply to call->out and returns OK; or returns an error after err_set(&call->message, ...): what
 * it had written is dropped and the error is the reply; or takes a slot (call_need_slot), starts something, returns
 * OK after call_defer(), and ends the reply later, on the same loop, with call_finish(). */
#ifndef NET_CALL_H
#define NET_CALL_H

#include "base/clock.h"
#include "net/reply_queue.h"
#include "net/resp_write.h"

struct command;
struct conn;
struct lane;
struct services;
struct session;

struct call {
        struct conn *conn;
        struct lane *lane;
        struct services *services;
        struct session *session;
        const struct command *row; /* NULL until found */
        const struct slice *argv;  /* [0] is the command's name; valid while the handler runs, longer with `hold` */
        size_t argc;
        struct nanos now;     /* read after the read() that delivered the command */
        bool earlier_waiting; /* commands before this one on the connection are not answered yet */
        struct resp_writer out;
        size_t mark; /* where this reply begins in out */
        struct reply_queue *queue;
        struct reply_slot *slot; /* NULL: none taken yet; given back when it is not used */
        struct err_msg message;  /* for the error that the handler returns */
        bool deferred;           /* set by call_defer */
        bool hold;               /* set by a handler: the next command waits for this one, and argv stays valid */
        bool close;              /* set by a handler: close the connection after the reply */
};

/* A reply that is written later. Lives in the handler's own operation. */
struct deferred {
        struct conn *conn;
        struct reply_slot *slot;
        struct resp_writer out;
};

/* Makes sure of a slot before anything is started that cannot be taken back. ERR_NOMEM. */
enum err call_need_slot(struct call *call) MUST_CHECK;

/* From here on the reply is *later's: what has been written so far moves there. Needs a slot. */
void call_defer(struct call *call, struct deferred *later);

/* Ends a deferred reply. `code` OK: what was written to later->out is the reply; else the reply is that error (message
 * NULL or empty: its general text). The connection may be gone by then; the caller need not know. */
void call_finish(struct deferred *later, enum err code, const char *message);

/* Writes an error reply: `message`, or the code's general text when that is NULL or empty. */
void call_write_error(struct resp_writer *out, enum err code, const char *message);

#endif
