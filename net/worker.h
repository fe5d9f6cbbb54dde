/* A worker: one thread with its own event loop, lane and listeners. A request lives and dies on its worker. */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "base/clock.h"
#include "base/err.h"

struct lane;
struct services;
struct worker;

/* Worker number `index`, not running yet. ERR_NOMEM, ERR_IO; *out is NULL then. */
enum err worker_create(struct worker **out, struct services *services, uint32_t index) MUST_CHECK;

/* The worker accepts from the listening socket `fd`, which stays the caller's. At most two. Before it runs.
 * ERR_NOMEM. */
enum err worker_listen(struct worker *worker, int fd) MUST_CHECK;

/* Starts the thread. ERR_IO. */
enum err worker_start(struct worker *worker, struct err_msg *msg) MUST_CHECK;

/* Asks it to stop: accept no more, answer what has been read, close; sockets that are not done after `patience` are
 * closed. Once, of a started worker. Any thread. */
void worker_stop(struct worker *worker, struct nanos patience);

/* Waits until a worker asked to stop has no connection left. Its thread still passes messages on. */
void worker_await_empty(struct worker *worker);

/* Ends the thread of an empty worker. */
void worker_end(struct worker *worker);

/* Ended, or never started. NULL-safe; nulls. */
void worker_destroy(struct worker **worker);

/* What its connections share. For pub/sub. */
struct lane *worker_lane(struct worker *worker);

#endif
