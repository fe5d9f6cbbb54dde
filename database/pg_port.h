/* Private to the PostgreSQL source: what its loops share, and what each has of its own. */
#ifndef DATABASE_PG_PORT_H
#define DATABASE_PG_PORT_H

#include "database/pg_gather.h"
#include "database/pg_source.h"
#include "database/pg_sql.h"

#include <stdatomic.h>

enum { PG_NODE_SIZE = 320 };

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

/* A tick's reads by the way that they go. */
enum pg_way {
        PG_WAY_FETCH,
        PG_WAY_FETCH_STRICT,
        PG_WAY_CHECK,
        PG_WAY_CHECK_STRICT,
        PG_WAY_ALONE,
        PG_WAY_ALONE_STRICT,
        PG_WAY_REPLICA,
        PG_WAY_COUNT
};

struct pg_way_out {
        struct pg_port *port;
        enum pg_way way;
        struct pg_gather gather;
};

struct pg_port {
        struct source_port port;
        struct pg_source *source;
        struct pg_pool *primary;
        struct pg_pool *replicas[PG_REPLICAS_MAX];
        struct nanos replica_rests[PG_REPLICAS_MAX]; /* until when it is not asked, having failed */
        uint32_t next_replica;
        struct nanos apart_until; /* queries have failed lately: they are kept apart from the first */
        struct pg_way_out ways[PG_WAY_COUNT];
        struct event *timer;     /* for what waits to be sent */
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
        PG_ERRAND_EXISTENCE, /* a fetch that asks who exists in any case */
        PG_ERRAND_ALONE      /* each with queries of its own */
};

enum { PG_PRIMARY = -1 };

struct pg_errand_in {
        struct pg_port *port;
        enum pg_errand errand;
        int replica; /* its index, or PG_PRIMARY */
        bool beat;
        struct nanos deadline;
        struct pg_way_out *way; /* that hears when the exchange is back; NULL: none does */
};

/* Carries the reads through (the list is left empty), at most PG_BATCH_READS_MAX: sends them in one exchange, and
 * answers them when the results are there, asking again where that is needed. Their done() is called later, on the
 * loop; or from within, when there is no memory: then false. The port's loop only. */
bool pg_batch_start(const struct pg_errand_in *in, struct list *reads);

/* The exchange of a batch of that way is over, before its reads are answered: what has waited for it goes out. */
void pg_way_returned(struct pg_way_out *way);

#endif
