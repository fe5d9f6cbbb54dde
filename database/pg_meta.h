/* What a reading transaction says of itself: in which state of the database it reads. Pure; any thread. */
#ifndef DATABASE_PG_META_H
#define DATABASE_PG_META_H

#include "base/err.h"
#include "database/snapshot.h"

#include <libpq-fe.h>

struct pg_meta {
        struct snapshot snapshot;
        uint64_t epoch; /* 0: it belongs to no history that can be followed; nothing of it may be kept */
        int64_t micros; /* the transaction's time by the database's clock, since 1970-01-01T00:00:00Z */
};

/* Reads the row (snapshot, epoch, time). False when it is not that. A replica's snapshot is believed below its xmin
 * only. */
bool pg_meta_read(const PGresult *result, bool replica, struct pg_meta *out) MUST_CHECK;

#endif
