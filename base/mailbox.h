/* Messages to another thread's event loop. Any thread posts; the owner's loop wakes up once (eventfd) and gets all that
 * has come, in the order of posting. A message is a struct of the poster with a `struct mail` in it (first or not);
 * posting hands it over to the handler and cannot fail. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/err.h"
#include "base/list.h"

struct event_base;
struct mailbox;

struct mail {
        struct list link;
};

/* Called on the owner's loop for each message; owns *mail from then on. */
typedef void (*mailbox_fn)(struct mail *mail, void *context);

/* Makes a mailbox read by `base`'s loop. ERR_NOMEM, ERR_IO; *out is NULL then. On the owner's thread or before its loop
 * runs. */
enum err mailbox_create(struct mailbox **out, struct event_base *base, mailbox_fn handler, void *context) MUST_CHECK;

/* Hands over *mail. Any thread; never blocks for long, never fails. */
void mailbox_post(struct mailbox *box, struct mail *mail);

/* Runs the handler for whatever is waiting now. Owner's thread; for tear-down and tests. */
void mailbox_drain(struct mailbox *box);

/* Drains, frees, nulls. No one may post any more. NULL-safe. */
void mailbox_destroy(struct mailbox **box);

#endif
