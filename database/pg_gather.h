/* The reads of one way (fetch, check, ... : database/pg_source.c) of one loop, gathered while earlier ones are out.
 *
 * Problem: a loop's tick brings a few reads; sent at once, a thousand readers cost the database a transaction for every
 * handful of them. Waiting for company costs every lone reader.
 *
 * Idea: nothing waits while nothing is out. What comes meanwhile waits for the exchange's return, and then goes out
 * together: under load the exchanges grow by themselves until the database keeps up. A slow exchange holds the others
 * only for `patience`: then they go out beside it, as long as there are connections for more. What has waited for
 * `most_wait` fails: PostgreSQL does not keep up.
 *
 * Why not a pause before every exchange: it would put its length on every miss. Cost: under load a read waits for up to
 * `patience`, which its share of a larger exchange is cheaper by.
 *
 * What asked for a read takes it as sent when it was handed over, which is before it is: the answer is then newer than
 * it is taken for, never older. A strict read of a key that waits here does not join that one: it is one more.
 *
 * No event loop and no PostgreSQL here: the owner calls pg_gather_tick() when pg_gather_due() says so. */
#ifndef DATABASE_PG_GATHER_H
#define DATABASE_PG_GATHER_H

#include "database/source_read.h"

struct pg_gather_config {
        uint32_t reads_max;              /* of one exchange; at least 1 */
        struct nanos patience;           /* how long a read waits while there could be another exchange */
        struct nanos most_wait;          /* how long it waits at all */
        uint32_t (*room)(void *context); /* how many exchanges may be out at once now; at least 1 */
        /* Sends these reads (the list is left empty), the first of them asked for first, in one exchange; false: they
         * are answered already, nothing is out. */
        bool (*start)(void *context, struct list *reads);
        /* Ends a read that has waited for most_wait, or that is left at the end. */
        void (*fail)(void *context, struct source_read *read, enum err status);
        void *context;
};

struct pg_gather {
        struct pg_gather_config config;
        struct list waiting; /* struct source_read by `link`, the first asked for first */
        uint32_t waiting_count;
        uint32_t out;
        bool closed;
};

/* Nothing waits, nothing is out. *config is copied. Holds no memory: reads that wait are their callers'. All calls on
 * one thread. */
void pg_gather_init(struct pg_gather *gather, const struct pg_gather_config *config);

/* No more is sent: what waits and what is added from now on fails (UNAVAILABLE), from within. */
void pg_gather_close(struct pg_gather *gather);

/* Takes one read, whose `asked` is set. It is sent by the next pg_gather_send() or later. */
void pg_gather_add(struct pg_gather *gather, struct source_read *read);

/* Sends what there is no reason to keep waiting; after the last pg_gather_add() of a tick. */
void pg_gather_send(struct pg_gather *gather, struct nanos now);

/* An exchange is back: the next goes out. */
void pg_gather_returned(struct pg_gather *gather, struct nanos now);

/* Ends what has waited for too long, and sends. */
void pg_gather_tick(struct pg_gather *gather, struct nanos now);

/* When pg_gather_tick() is to be called; NANOS_NEVER: not before something else is. Pure. */
struct nanos pg_gather_due(const struct pg_gather *gather);

#endif
