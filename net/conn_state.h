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
        uint64_t commands;
        bool has_frame;
        bool output_full; /* the last run ended because of OUTPUT_ENOUGH */
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

/* All is answered and sent, and no more is wanted: closes, or lingers while a close could take replies from the client.
 * The lane's thread. */
void conn_end(struct conn *conn, struct nanos now);

/* Reads and drops what a lingering connection still sends; closes it when its time has come. The lane's thread. */
void conn_throw_away(struct conn *conn);

#endif
