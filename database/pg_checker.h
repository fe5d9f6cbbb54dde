/* A thread that checks the definitions of record types (pg_check.h) whenever it is asked to: at the start, at the
 * beginning of each history, after each change of what is watched. A check that fails, because the database cannot be
 * reached or does not answer, is made again a second later, until it succeeds. */
#ifndef DATABASE_PG_CHECKER_H
#define DATABASE_PG_CHECKER_H

#include "database/pg_check.h"
#include "database/pg_server.h"

struct pg_checker;

struct pg_checker_config {
        const struct record_types *types; /* both outlive the checker */
        const struct pg_server *server;   /* the primary, no pooler between */
        /* What was found, as the answer to the newest round asked for before it was begun. On the checker's thread;
         * `check` is only lent. */
        void (*checked)(void *context, uint64_t round, const struct pg_check *check);
        void *context;
};

/* Starts the thread; nothing is checked yet. ERR_NOMEM; *out is NULL then. */
enum err pg_checker_start(struct pg_checker **out, const struct pg_checker_config *config) MUST_CHECK;

/* Ends a check that is under way, and the thread: nothing is told any more, and what is asked for is not done. May take
 * as long as connecting may. A second call does nothing. NULL-safe. */
void pg_checker_stop(struct pg_checker *checker);

/* Stops, frees, nulls. NULL-safe. */
void pg_checker_destroy(struct pg_checker **checker);

/* Asks for a check that begins from now on; one under way, which may have seen what was before, is broken off. Any
 * thread; waits for nothing. */
void pg_checker_request(struct pg_checker *checker, uint64_t round);

/* Asks for a check (as round 0), and waits for the end of the first attempt at it, but not for long. ERR_CONFIG: a
 * definition is wrong; the message says which and why. OK also when the database could not be asked: that is tried
 * again. Once, before any other request. */
enum err pg_checker_first(struct pg_checker *checker, struct err_msg *msg) MUST_CHECK;

/* Lends what the last check has found (NULL: there has been none) to `look`, which must not call the checker; it is
 * `current` when no other has been asked for since. Any thread. */
typedef void (*pg_checker_fn)(void *context, const struct pg_check *found, bool current);
void pg_checker_look(struct pg_checker *checker, pg_checker_fn look, void *context);

#endif
