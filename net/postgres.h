/* The parts of a node whose records are in PostgreSQL: the source that reads them, and the follower that learns what
 * has changed, on a thread of its own. All calls: the control thread's. */
#ifndef NET_POSTGRES_H
#define NET_POSTGRES_H

#include "database/pg_checker.h"
#include "database/pg_source.h"
#include "invalidation/truth_postgres.h"

struct postgres;

/* Everything that it points to outlives what is opened with it. */
struct postgres_config {
        const struct record_types *types;
        struct pg_server primary;
        struct pg_server direct;     /* the same without a pooler */
        struct pg_server replica;    /* each of them, but for name and dsn */
        const char *const *replicas; /* their DSNs */
        size_t replica_count;
        uint32_t pool_size;
        uint32_t batch_max;
        struct nanos acquire_timeout;
        struct nanos read_timeout;
        struct nanos poll_interval;
        struct nanos poll_timeout;
        struct nanos longest_life; /* of any entry */
        enum truth_heartbeat heartbeat;
        const char *node; /* this server's name among those of the database, not empty */
};

/* Opens the source, checks the definitions, and starts following into `freshness`, which outlives it. A database that
 * cannot be reached is no error: it goes on trying. ERR_CONFIG (a DSN that cannot be read, too many replicas, a
 * definition that is wrong by what the database says), ERR_NOMEM, ERR_IO; *out is NULL then. */
enum err postgres_open(struct postgres **out, const struct postgres_config *config, struct freshness *freshness,
        struct err_msg *msg) MUST_CHECK;

/* The source, the follower and the checker; the latter two until postgres_stop. */
struct source *postgres_source(struct postgres *postgres);
struct pg_checker *postgres_checker(struct postgres *postgres);
struct truth_postgres *postgres_truth(struct postgres *postgres);

/* Follows no longer, and ends the writes under way. When nobody writes any more; reads go on. A second call does
 * nothing. NULL-safe. */
void postgres_stop(struct postgres *postgres);

/* Stops, closes the source, frees, nulls. After all of its ports are closed. NULL-safe. */
void postgres_close(struct postgres **postgres);

#endif
