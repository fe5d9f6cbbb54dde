/* A thread for work that would hold up a worker's loop: jobs are done one after another, in the order in which they
 * were added. */
#ifndef NET_ASIDE_H
#define NET_ASIDE_H

#include "base/err.h"
#include "base/list.h"

struct aside;

/* Part of whatever is to be done. `run` is called once, on the thread; the job is its own from then on. */
struct aside_job {
        struct list link;
        void (*run)(struct aside_job *job);
};

/* Starts the thread, `name` (at most 15 bytes) being what tools show of it. ERR_NOMEM; *out is NULL then. */
enum err aside_create(struct aside **out, const char *name) MUST_CHECK;

/* Hands over a job. NULL in place of a thread: it is done at once. Any thread; cannot fail. */
void aside_add(struct aside *aside, struct aside_job *job);

/* Does all that was added, ends the thread, frees, nulls. No one may add any more. NULL-safe. */
void aside_destroy(struct aside **aside);

#endif
