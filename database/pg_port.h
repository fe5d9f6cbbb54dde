/* Private to the PostgreSQL source: what its loops share, and what each has of its own. */
#ifndef DATABASE_PG_PORT_H
#define DATABASE_PG_PORT_H

#include "database/pg_source.h"
#include "database/pg_sql.h"

#include <stdatomic.h>

enum { PG_NODE_SIZE = 320, PG_BATCH_READS_MAX = 1024 };

struct pg_source {
        struct source source;
        struct pg_source_config config;
        struct pg_server replicas[PG_REPLICAS_MAX];
        struct pg_sql sql;
        _Atomic bool heartbeat;
        _Atomic int64_t bare_until; /* boot clock: when the schema is looked for again, which was not there */
        _Atomic uint8_t states[RECORD_TYPES_MAX]; /* enum pg_state */
        _Atomic uint32_t key_types[RECORD_TYPES_MAX];
        _Atomic uint32_t port_count;
        _Atomic(const char *) problem; /* a literal: why the last exchange could not be held; NULL: it was */
        _Atomic uint64_t last_epoch;   /* of the newest transaction that had one */
};

struct pg_port {
        struct source_port port;
        struct pg_source *source;
        struct pg_pool *primary;
        struct pg_pool *replicas[PG_REPLICAS_MAX];
        struct nanos replica_rests[PG_REPLICAS_MAX]; /* until when it is not asked, having failed */
        uint32_t next_replica;
        char node[PG_NODE_SIZE]; /* whose heartbeat: each loop has a row of its own, not to wait for one another */
};

static inline struct pg_source *pg_source_of(struct source *source)
{
        VC_ASSERT(source->magic == SOURCE_MAGIC);
        return LIST_ENTRY(source, struct pg_source, source);
}

enum pg_errand {
        PG_ERRAND_CHECK, /* whether what readers hold still is true; what is not is fetched */
        PG_ERRAND_FETCH,
        PG_ERRAND_ALONE /* each with queries of its own */
};

enum { PG_PRIMARY = -1 };

struct pg_errand_in {
        struct pg_port *port;
        enum pg_errand errand;
        int replica; /* its index, or PG_PRIMARY */
        bool beat;
        struct nanos deadline;
};

/* Carries the reads through (the list is left empty): sends them, in batches of at most PG_BATCH_READS_MAX, and
 * answers them when the results are there, asking again where that is needed. Their done() is called later, on the
 * loop; or from within, when there is no memory. The port's loop only. */
void pg_batch_start(const struct pg_errand_in *in, struct list *reads);

#endif
