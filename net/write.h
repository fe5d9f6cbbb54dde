/* A write under way: what PUT, ERASE, INVALIDATE, IMPORT and PUBLISH have in common. Its request is held (the command
 * table's WRITE flag), so its slices may borrow from the request's words; or it is self-contained (OVERLAPS), and
 * borrows nothing from them. The source's writer thread mails it back to its lane, where the reply is written and the
 * invalidation told to subscribers. */
#ifndef NET_WRITE_H
#define NET_WRITE_H

#include "database/source.h"
#include "database/value.h"
#include "net/aside.h"
#include "net/call.h"
#include "net/session.h"
#include "net/lane.h"

/* How a client's value is to be read. */
struct value_form {
        enum wire_format format;
        struct value_limits limits;
};

struct write {
        struct lane_mail mail;
        struct aside_job intake;
        struct lane *lane;
        struct deferred later;
        struct source_write source;
        struct slice key;                   /* PUT and ERASE: for the CONFLICT reply */
        struct buf value;                   /* what source.value borrows from */
        struct buf raw;                     /* of a self-contained write: the client's value, before intake */
        struct value_form form;             /* that of `raw` */
        struct buf tags;                    /* struct tag: what is touched, as subscribers are told it */
        struct buf touched;                 /* what source.touched points to; made into tags at the end */
        struct buf rejects;                 /* IMPORT: struct source_reject */
        void (*reply)(struct write *write); /* writes the reply of a success into later.out; NULL: the token */
        uint32_t receivers;                 /* subscribers that were told */
};

/* An empty write of this call. NULL when there is no memory. */
struct write *write_create(struct call *call, enum source_write_kind kind) MUST_CHECK;

/* For a write that was not started. NULL-safe; nulls. */
void write_destroy(struct write **write);

/* Adds a tag to what is touched. Errors as buf_append. */
enum err write_add_tag(struct write *write, const struct tag *tag) MUST_CHECK;

/* The form of the values that a call brings: its session's format, the server's limits. */
struct value_form write_form_of(const struct call *call);

/* Turns a value into msgpack at the end of *out, checked. ERR_BADVALUE, ERR_LIMIT, ERR_NOMEM. Any thread. */
enum err write_take_value(
        const struct value_form *form, struct slice value, struct buf *out, struct err_msg *msg) MUST_CHECK;

/* Hands the write to the source; the reply follows. The write is its own from here on. ERR_NOMEM: it was not started,
 * and is destroyed. */
enum err write_start(struct write *write, struct call *call) MUST_CHECK;

/* The same for a self-contained write: `value` is copied, and made the source's value on the thread that is there for
 * that (services->intake), because rows by the thousand would hold up the lane. Nothing else of it may borrow from the
 * request. ERR_NOMEM as above. */
enum err write_start_aside(struct write *write, struct call *call, struct slice value) MUST_CHECK;

/* Writes a token of `position` in the present epoch as a bulk string. */
void write_token(struct write *write, struct position position);

#endif
