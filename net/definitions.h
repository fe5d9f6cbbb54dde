/* Keeps what is known of the record types' definitions against the live schema (database/pg_check.h): checked at the
 * start, and again, on a thread of its own, whenever the follower says that it may have changed. */
#ifndef NET_DEFINITIONS_H
#define NET_DEFINITIONS_H

#include "database/pg_source.h"
#include "invalidation/truth_postgres.h"

struct definitions;

/* Everything outlives it. */
struct definitions_config {
        const struct record_types *types;
        const struct pg_server *server; /* direct */
        struct source *source;          /* is told which types may be cached */
};

/* Checks once, and starts the thread. ERR_CONFIG: a definition is wrong, with its place and what is wrong; ERR_NOMEM,
 * ERR_IO; *out is NULL then. A database that cannot be asked now is no error. */
enum err definitions_start(
        struct definitions **out, const struct definitions_config *config, struct err_msg *msg) MUST_CHECK;

/* Checks for that round of `truth`, which is told when it is done; tries again when the database cannot be asked. Any
 * thread; does not wait. */
void definitions_check(struct definitions *definitions, struct truth_postgres *truth, uint64_t round);

/* Waits for what is under way; what is asked for from now on is not done. Before the truth is stopped. A second call
 * does nothing. NULL-safe. */
void definitions_stop(struct definitions *definitions);
/* Stops, frees, nulls. After the truth is stopped. NULL-safe. */
void definitions_destroy(struct definitions **definitions);

#endif
