/* PostgreSQL as the source of truth: reads in one round trip per tick of a loop (docs/FRESHNESS.md, 3.2 and 4).
 *
 * What a loop asks for at once becomes one transaction in one exchange: the snapshot and the epoch, one query for each
 * type however many ids there are, and whether the ids exist. The records are what the types' SQL says
 * (database/record_sql.h). Nothing is written but tags (WRITE_TOUCH): the database has applications of its own. */
#ifndef DATABASE_PG_SOURCE_H
#define DATABASE_PG_SOURCE_H

#include "database/pg_pool.h"
#include "database/source.h"

enum { PG_REPLICAS_MAX = 16, PG_BATCH_READS_MAX = 1024 };

struct pg_source_config {
        const struct record_types *types; /* that record_types_check_postgres() finds nothing wrong with */
        struct pg_server primary;
        const struct pg_server *replicas;
        uint32_t replica_count;
        uint32_t pool_size;           /* connections of each loop to each server */
        uint32_t batch_max;           /* reads that share a round trip at most: 1 to PG_BATCH_READS_MAX */
        struct nanos acquire_timeout; /* how long a read waits for one of them */
        struct nanos read_timeout;    /* from a read's being asked for to its answer */
        const char *node;             /* whose heartbeat strict reads commit */
        struct nanos (*clock)(void);  /* clock_boot, or a test's */
        /* Takes every WRITE_TOUCH, on the calling thread; calls its `done`. NULL: they are refused as other writes. */
        void (*touch)(void *context, struct source_write *write);
        void *touch_context;
};

/* Opens no connection yet: an unreachable database makes reads fail, not the opening. The types and all texts of the
 * configuration must outlive the source. ERR_NOMEM, ERR_CONFIG (too many replicas). */
enum err pg_source_open(struct source **out, const struct pg_source_config *config, struct err_msg *msg) MUST_CHECK;

/* Whether reads of a bound of 0 commit a heartbeat in their own transaction (synchronous replicas). Any thread. */
void pg_source_set_heartbeat(struct source *source, bool on);

/* The schema `vitalcache` is in the database now: reads that found it missing ask for snapshots and epochs again. Any
 * thread. */
void pg_source_installed(struct source *source);

/* What is known of a type against the live schema (database/pg_check.h). */
struct pg_type_state {
        bool uncacheable;    /* something of it is not covered: it is read through, without an epoch */
        bool binary_results; /* all its columns are cheaper to read in binary form (pg_decode_knows_binary) */
        uint32_t key_type;   /* object id of what $1 is an array of; 0: not known */
};

/* Takes over what the check of the definitions found, by the types' index. Any thread; reads from then on. */
void pg_source_set_states(struct source *source, const struct pg_type_state *states, uint32_t count);

#endif
