/* Replies keep the order of their commands, although reads of one connection overlap: a command that cannot answer at
 * once takes a slot, later replies queue up behind it, and what is finished at the head moves to the output.
 *
 *      GET a (miss)   GET b (hit)   GET c (miss)   PING
 *      [ waiting ] -> [ done    ] -> [ waiting ] -> [ done ]
 *
 * An empty queue means that a reply may go straight into the output. Not thread-safe: one per connection, on its
 * loop. */
#ifndef NET_REPLY_QUEUE_H
#define NET_REPLY_QUEUE_H

#include "base/buf.h"
#include "base/list.h"
#include "base/pool.h"

struct reply_slot {
        struct list link;
        struct buf reply;
        size_t holds;   /* of a self-contained write under way: bytes of its request; 0: of another command */
        size_t counted; /* bytes of `reply` in the queue's memory */
        bool done;
};

struct reply_queue {
        struct list slots; /* oldest first */
        struct pool *pool; /* of struct reply_slot; the lane's */
        uint64_t limit;    /* bytes of one reply; 0: none */
        uint32_t count;    /* slots in the queue */
        uint32_t waiting;  /* those not done */
        uint32_t writes;   /* those not done that are self-contained writes */
        size_t held;       /* bytes of these writes' requests */
        size_t bytes;      /* of replies that are done and not moved to the output yet */
        size_t memory;     /* of the slots and their replies; of one under way, as it was when it was pushed */
};

/* `pool` gives blocks of sizeof(struct reply_slot). */
void reply_queue_init(struct reply_queue *queue, struct pool *pool, uint64_t limit);

/* Frees all slots. None may be waiting. */
void reply_queue_deinit(struct reply_queue *queue);

/* A slot that is not in the queue yet; NULL when there is no memory. */
struct reply_slot *reply_queue_take(struct reply_queue *queue) MUST_CHECK;

/* Gives back a slot that was never pushed; NULL is a no-op. */
void reply_queue_give(struct reply_queue *queue, struct reply_slot *slot);

/* Puts the slot at the end; with `done` its reply is complete already. */
void reply_queue_push(struct reply_queue *queue, struct reply_slot *slot, bool done);

/* Puts the slot of a self-contained write (COMMAND_OVERLAPS) at the end, not done; `bytes` > 0 its request's. */
void reply_queue_push_write(struct reply_queue *queue, struct reply_slot *slot, size_t bytes);

/* The reply of a waiting slot is complete. */
void reply_queue_finish(struct reply_queue *queue, struct reply_slot *slot);

/* Whether the reply at the head is done: reply_queue_drain would move it. */
bool reply_queue_is_ready(const struct reply_queue *queue);

/* Moves the replies that are done at the head to the end of `out`, until `out` holds `enough` bytes. Errors as
 * buf_append; what was moved before stays moved. ERR_NOMEM also for a reply that is empty, its very error not having
 * found room: to leave it out would give the client the next reply in its place. */
enum err reply_queue_drain(struct reply_queue *queue, struct buf *out, size_t enough) MUST_CHECK;

#endif
