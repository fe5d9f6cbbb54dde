#include "database/pg_meta.h"

#include "base/cursor.h"
#include "database/mutant.h"
#include "database/pg_exchange.h"
#include "database/pg_snapshot.h"

enum { COLUMN_SNAPSHOT, COLUMN_EPOCH, COLUMN_MICROS, COLUMN_COUNT };

bool pg_meta_read(const PGresult *result, bool replica, struct pg_meta *out)
{
        *out = (struct pg_meta){.epoch = 0};
        if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQnfields(result) != COLUMN_COUNT)
                return false;
        if (!pg_snapshot_read(pg_cell_bytes(result, 0, COLUMN_SNAPSHOT), &out->snapshot))
                return false;
        if (!slice_to_i64(pg_cell_bytes(result, 0, COLUMN_MICROS), &out->micros))
                return false;
        if (PQgetisnull(result, 0, COLUMN_EPOCH) == 0 &&
                !slice_to_u64(pg_cell_bytes(result, 0, COLUMN_EPOCH), &out->epoch))
                return false;
        if (replica && !MUTANT(REPLICA_XIP_BELIEVED))
                out->snapshot = snapshot_of_replica(out->snapshot.xmin, out->snapshot.xmax);
        return true;
}
