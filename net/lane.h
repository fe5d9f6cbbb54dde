/* A lane: what one worker thread's connections share, and only that thread touches (the mailbox apart). */
#ifndef NET_LANE_H
#define NET_LANE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include "base/pool.h"

struct event;
struct event_base;
struct reader;
struct services;

struct lane {
        struct services *services;
        struct event_base *base;
        struct mailbox *mailbox;
        struct reader *reader;
        struct pool slots;      /* struct reply_slot */
        struct pool reads;      /* struct read */
        struct pool read_lists; /* struct read_list */
        struct buf spare_in;    /* one block each, lent to the connection that is being served: idle connections */
        struct buf spare_out;   /* hold no buffers, and busy ones need not allocate any */
        struct list conns;      /* open ones, the longest idle first */
        struct list dirty;      /* those to service before the loop sleeps again */
        struct list later;      /* those to service when all that is ready elsewhere has had its turn */
        struct list unsent;     /* those with output that the socket does not take yet */
        struct list subscribers;
        struct event *service_dirty;
        struct event *service_later;
        struct event *output_check; /* pending while there are any unsent */
        struct event *idle_check;
        uint32_t conn_count; /* closed ones with commands under way included */
        uint32_t index;
        bool stopping;
        void (*emptied)(void *context); /* once, after lane_stop: the last connection is gone */
        void *emptied_context;
};

/* A message to a lane: `handle` runs on its loop and owns the mail. */
struct lane_mail {
        struct mail mail;
        void (*handle)(struct lane *lane, struct lane_mail *mail);
};

/* Makes lane number `index` on `base`. ERR_NOMEM, ERR_IO; nothing is left behind then. Before the loop runs. */
enum err lane_init(struct lane *lane, struct services *services, struct event_base *base, uint32_t index) MUST_CHECK;

/* Frees all. Every connection is gone (lane_stop has ended). */
void lane_deinit(struct lane *lane);

/* Any thread. */
void lane_post(struct lane *lane, struct lane_mail *mail);

/* Takes over an accepted socket, or turns it away when the server is full or stopping. */
void lane_accept(struct lane *lane, int fd);

/* Closes the connections, subscribers apart, that have sent nothing for limits.idle. */
void lane_close_idle(struct lane *lane, struct nanos now);

/* Has the connection serviced before the loop sleeps again. */
void lane_mark_dirty(struct lane *lane, struct list *dirty_link);

/* Has the connection serviced after the loop has looked for what is ready, and that has been served: the next turn of
 * one that has had its turn. The link is the one of lane_mark_dirty; who is in either list stays where it is. */
void lane_mark_later(struct lane *lane, struct list *dirty_link);

/* Has the connection's output looked after (conn_check_output) once a second, until the link is removed. */
void lane_watch_output(struct lane *lane, struct list *unsent_link);

/* Looks after all that are watched, as it is done once a second. */
void lane_check_output(struct lane *lane, struct nanos now);

/* Begins the graceful stop: answers what has been read, closes; after `patience` the remaining sockets are closed. When
 * the last connection is gone it calls lane->emptied; the loop goes on, since messages may still pass through. Once. */
void lane_stop(struct lane *lane, struct nanos patience);

/* A connection's memory is being freed. */
void lane_conn_gone(struct lane *lane);

/* Lends the spare block to an empty buffer without one; takes it back when it is empty again. */
void lane_lend(struct buf *to, struct buf *spare);
void lane_take_back(struct buf *from, struct buf *spare);

#endif
