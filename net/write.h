/* A write under way: what PUT, ERASE, INVALIDATE, IMPORT and PUBLISH have in common. Its request is held (the command
 * table's WRITE flag), so its slices may borrow from the request's words. The source's writer thread mails it back to
 * its lane, where the reply is written and the invalidation told to subscribers. */
#ifndef NET_WRITE_H
#define NET_WRITE_H

#include "database/source.h"
#include "net/call.h"
#include "net/lane.h"

struct write {
        struct lane_mail mail;
        struct lane *lane;
        struct deferred later;
        struct source_write source;
        struct slice key;                   /* PUT and ERASE: for the CONFLICT reply */
        struct buf value;                   /* what source.value borrows from */
        struct buf tags;                    /* struct tag: what is touched, as subscribers are told it */
        struct buf touched;                 /* what source.touched points to; made into tags at the end */
        void (*reply)(struct write *write); /* writes the reply of a success into later.out; NULL: the token */
        uint32_t receivers;                 /* subscribers that were told */
};

/* An empty write of this call. NULL when there is no memory. */
struct write *write_create(struct call *call, enum source_write_kind kind) MUST_CHECK;

/* For a write that was not started. NULL-safe; nulls. */
void write_destroy(struct write **write);

/* Adds a tag to what is touched. Errors as buf_append. */
enum err write_add_tag(struct write *write, const struct tag *tag) MUST_CHECK;

/* Turns a value of the session's format into msgpack at the end of *out, checked. ERR_BADVALUE, ERR_LIMIT, ERR_NOMEM
 * with call->message. */
enum err write_take_value(struct call *call, struct slice value, struct buf *out) MUST_CHECK;

/* Hands the write to the source; the reply follows. The write is its own from here on. ERR_NOMEM: it was not started,
 * and is destroyed. */
enum err write_start(struct write *write, struct call *call) MUST_CHECK;

/* Writes a token of `position` in the present epoch as a bulk string. */
void write_token(struct write *write, struct position position);

#endif
