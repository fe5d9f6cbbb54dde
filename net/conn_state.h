/* Private to conn*.c: what a connection is made of. */
#ifndef NET_CONN_STATE_H
#define NET_CONN_STATE_H

#include "net/reply_queue.h"
#include "net/resp_parse.h"
#include "net/session.h"

struct event;

enum { CONN_READ_ROOM = 16 * 1024 }; /* bytes of one read() */

struct conn {
        struct list link;       /* lane->conns */
        struct list dirty;      /* lane->dirty */
        struct list subscriber; /* lane->subscribers */
        struct list unsent;     /* lane->unsent, with write_awaited */
        struct lane *lane;
        struct event *readable;
        struct event *writable;
        int fd; /* -1: closed, and kept for the commands under way */
        struct buf in;
        struct buf out;
        struct resp_parser parser;
        struct resp_frame frame;   /* with has_frame: to be run, or being run with `holder` */
        struct reply_slot *holder; /* the deferred command that the next one waits for */
        struct reply_queue queue;
        struct session session;
        struct nanos opened;
        struct nanos active;
        struct nanos taken;     /* with write_awaited: when the client last took some of it, or it was put there */
        struct nanos soft_from; /* since when the soft limit of output is passed; 0: it is not */
        size_t own_memory;      /* bytes of this struct and its events */
        size_t memory;          /* bytes that are accounted for it */
        uint64_t commands;
        bool has_frame;
        bool output_full; /* the last run ended because of limits.client_output_pause */
        bool turn_over;   /* it ended because of limits.client_turn_words */
        bool read_paused;
        bool write_awaited;
        bool eof;                   /* no more bytes will come, or be read */
        bool stopping;              /* `eof` is our own doing: the client may still be sending */
        bool closing;               /* no further command is run; close when all is sent */
        bool refused;               /* closing because of bytes that are no request */
        struct nanos lingers_since; /* with `lingering` */
        uint64_t lingered;          /* bytes thrown away since */
        bool lingering;
};

/* Keeps lane->unsent and the socket's event in step with whether there is output unsent. False when that fails. The
 * lane's thread. */
bool conn_await_writable(struct conn *conn, bool await, struct nanos now) MUST_CHECK;

/* Closes the connection, and returns true, when more is unsent than the hard limit allows. The lane's thread. */
bool conn_close_overflowed(struct conn *conn) MUST_CHECK;

/* Tells the account of all clients that this one takes `memory` bytes now. The lane's thread. */
void conn_change_memory(struct conn *conn, size_t memory);

/* Brings the account up to date: after whatever may leave the connection with more or less memory between two turns. */
static inline void conn_account(struct conn *conn)
{
        size_t memory = conn->own_memory + conn->in.cap + conn->out.cap + resp_parser_memory(&conn->parser) +
                        conn->queue.memory + conn->queue.held;

        if (memory != conn->memory)
                conn_change_memory(conn, memory);
}

/* All is answered and sent, and no more is wanted: closes, or lingers while a close could take replies from the client.
 * The lane's thread. */
void conn_end(struct conn *conn, struct nanos now);

/* Reads and drops what a lingering connection still sends; closes it when its time has come. The lane's thread. */
void conn_throw_away(struct conn *conn);

#endif
