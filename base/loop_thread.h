/* A thread that runs one event loop: for what has connections and timers of its own and serves all workers. Everything
 * on the loop happens on the thread; who wants something of it posts a job. */
#ifndef BASE_LOOP_THREAD_H
#define BASE_LOOP_THREAD_H

#include "base/mailbox.h"

struct loop_thread;

/* Part of whatever is to be done. `run` is called once, on the thread; the job is its own from then on. */
struct loop_job {
        struct mail mail;
        void (*run)(struct loop_job *job);
};

/* Starts the thread, `name` (at most 15 bytes) being what tools show of it. ERR_NOMEM, ERR_IO; *out is NULL then. */
enum err loop_thread_create(struct loop_thread **out, const char *name) MUST_CHECK;

/* The thread's event base; lives as long as the thread. Events are made, added and freed on the thread alone. */
struct event_base *loop_thread_base(const struct loop_thread *thread);

/* Hands over a job; they run in the order of posting. Any thread, its own too (the job then runs after the present
 * call-back); never blocks for long, never fails. */
void loop_thread_post(struct loop_thread *thread, struct loop_job *job);

/* Whether the caller runs on the thread. Any thread. */
bool loop_thread_is_here(const struct loop_thread *thread);

/* Runs `run(context)` on the thread and returns when it has. Not from the thread itself: it would wait for ever. */
void loop_thread_call(struct loop_thread *thread, void (*run)(void *context), void *context);

/* Does all that was posted and what those jobs post at once, ends the loop and the thread, frees, nulls. No one else
 * may post any more, and no event is left on the base. NULL-safe. Not from the thread itself. */
void loop_thread_destroy(struct loop_thread **thread);

#endif
