/* An exchange: statements that go to PostgreSQL together in one write, and whose results come back in order: one round
 * trip, however many statements (libpq's pipeline mode).
 *
 *      step 0   BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
 *      step 1   SELECT * FROM vitalcache.vc_here()
 *      step 2   SELECT ... WHERE student_id = ANY($1)       sync_after
 *      step 3   COMMIT                                      (the last step is always followed by a Sync)
 *
 * After a failed step PostgreSQL skips all up to the next Sync: their result is PGRES_PIPELINE_ABORTED. A COMMIT that
 * was skipped leaves the transaction open; the connection rolls it back by itself after done(), at no cost to the
 * caller. */
#ifndef DATABASE_PG_EXCHANGE_H
#define DATABASE_PG_EXCHANGE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"

#include <libpq-fe.h>

/* One SQL text. Must outlive every exchange that uses it; connections keep it prepared by its id alone. */
struct pg_statement {
        const char *sql;     /* one statement; parameters $1.. have the types that PostgreSQL infers */
        const char *label;   /* for logs: a literal or the name of a type */
        bool binary_results; /* all columns in binary format */
        bool once;           /* not worth keeping prepared: BEGIN, COMMIT, SAVEPOINT... */
        struct hash128 id;   /* set by pg_statement_init: the same text is the same statement */
};

/* Sets all fields (no flags) and the id; `sql` and `label` are borrowed. */
void pg_statement_init(struct pg_statement *statement, const char *sql, const char *label);

struct pg_step {
        const struct pg_statement *statement;
        int value_count;
        const char *const *values; /* value_count texts; NULL is SQL's NULL */
        const int *lengths;        /* NULL, or bytes of each binary value */
        const int *formats;        /* NULL: all are text; or 1 for a binary value */
        bool sync_after;           /* a failure up to here does not skip what follows */
};

enum pg_failure {
        PG_FAILURE_NONE,
        PG_FAILURE_CONNECT,   /* no connection, and the last attempt to make one has failed */
        PG_FAILURE_LOST,      /* the connection broke */
        PG_FAILURE_DEADLINE,  /* not done in time; the connection was closed if it had been sent */
        PG_FAILURE_EXHAUSTED, /* all connections were busy for the acquire time-out */
        PG_FAILURE_CLOSED,    /* the pool or connection was closed by its owner */
        PG_FAILURE_MEMORY     /* there was no memory to send it */
};

/* The caller's; unchanged by the caller, and alive, from run to done. `steps`, their statements and values as well. */
struct pg_exchange {
        struct list link; /* the runner's */
        const struct pg_step *steps;
        uint32_t step_count; /* at least 1 */
        struct nanos deadline;
        bool quiet;      /* its owner tells of failed statements, when that is news */
        bool repeatable; /* reads only: when the connection is lost before the first result, a pool may run it again */

        /* Once for each step, in order, unless the exchange fails before: PGRES_TUPLES_OK, PGRES_COMMAND_OK,
         * PGRES_FATAL_ERROR or PGRES_PIPELINE_ABORTED. The result is borrowed for the call. May be NULL. */
        void (*result)(struct pg_exchange *exchange, uint32_t step, const PGresult *result);
        /* A WARNING or NOTICE that came meanwhile; the result is borrowed for the call. May be NULL. */
        void (*notice)(struct pg_exchange *exchange, const PGresult *notice);
        /* Once, last, never from within the call that runs it; the exchange is the caller's again. */
        void (*done)(struct pg_exchange *exchange);
        void *context;

        /* set before done() */
        enum err status; /* OK: each step has had its result, whatever that was. ERR_UNAVAILABLE, ERR_BUSY, ERR_NOMEM */
        enum pg_failure failure; /* why status is not OK */
        char sqlstate[6];     /* of the first failure, or "": of a step, or of the commit that a Sync is to statements
                                    without BEGIN (a deferred constraint), whose steps had succeeded */
        bool outcome_unknown; /* failed after bytes had left and before the last Sync came back: may have committed */
        bool stale_plan;      /* a prepared plan no longer fits the schema; it is dropped: run it again, it will fit */

        struct nanos waits_until; /* the pool's */
        bool repeated;            /* the pool's: it has been run again */
        uint32_t results;         /* the connection's: how many result() calls there were */
};

/* A word for logs ("deadline") and a sentence for people of a failure. Any thread; never NULL. */
const char *pg_failure_name(enum pg_failure failure);
const char *pg_failure_text(enum pg_failure failure);

/* A cell's bytes, borrowed from the result (empty: NULL as well), and the first column of a name (-1: none). The case
 * of a name matters, as it does not to PQfnumber. */
struct slice pg_cell_bytes(const PGresult *result, int row, int column);
int pg_find_column(const PGresult *result, const char *name);

/* Copies the SQLSTATE of a result into `out` (6 bytes): five letters or digits, or "" when it has none. */
void pg_sqlstate(const PGresult *result, char *out);

#endif
