/* A loop's connections to one PostgreSQL server: opened when needed, kept, and opened again with growing pauses.
 *
 * Exchanges run in the order in which they came, each on a connection of its own for its time; when all are busy they
 * wait for at most acquire_timeout (then ERR_BUSY, or ERR_UNAVAILABLE when there is no connection at all) and never
 * past their deadline. When the server is gone, readers are told at once instead of waiting for it each: while no
 * connection is open and the last attempt has failed, exchanges fail until an attempt, made by the pool itself after a
 * pause of up to 50 ms, doubling to 5 s (pg_backoff.h), has succeeded.
 *
 * A pool of size 1 with a greeting is how to keep one lasting connection (polls, LISTEN): exchanges then run one after
 * another, in order. All calls and callbacks on the loop's thread. */
#ifndef DATABASE_PG_POOL_H
#define DATABASE_PG_POOL_H

#include "database/pg_conn.h"

struct pg_pool;

struct pg_pool_config {
        struct event_base *base;
        const struct pg_server *server; /* borrowed */
        uint32_t size;                  /* the most connections; at least 1 */
        struct nanos acquire_timeout;
        struct nanos (*now)(void); /* clock_boot */
        uint64_t seed;             /* of the jitter; random_bytes */
        const char *greeting;      /* NULL, or SQL that each new session runs first; borrowed */

        /* May be NULL. None is called from within a call of the owner. */
        void (*opened)(void *context); /* a new session is ready (its greeting done), before it runs an exchange */
        void (*lost)(void *context, const struct pg_trouble *trouble); /* a session ended, or could not be opened */
        void (*notify)(void *context, const char *channel, const char *payload);
        void *context;
};

/* How it is, for HEALTH and INFO. */
struct pg_pool_state {
        uint32_t open; /* sessions that are open, busy or not */
        uint32_t busy;
        uint32_t waiting;
        uint32_t failures;         /* attempts to connect that failed one after another; 0: the last one succeeded */
        struct pg_trouble trouble; /* the last there was; text NULL: none yet */
};

/* A pool without connections; it opens the first when the first exchange comes. ERR_NOMEM: *out is NULL. */
enum err pg_pool_create(struct pg_pool **out, const struct pg_pool_config *config) MUST_CHECK;

/* Ends what runs and waits (PG_FAILURE_CLOSED: done() is called from here), closes all, frees. NULL-safe. Not from
 * within a callback of the pool or of an exchange. */
void pg_pool_destroy(struct pg_pool **pool);

/* Runs an exchange as soon as a connection is free. done() is called later, never from within; at the latest at the
 * exchange's deadline. Callbacks of exchanges may call this. */
void pg_pool_run(struct pg_pool *pool, struct pg_exchange *exchange);

/* How it is now. */
struct pg_pool_state pg_pool_state(const struct pg_pool *pool);

#endif
