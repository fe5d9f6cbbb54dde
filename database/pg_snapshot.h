/* Snapshots as PostgreSQL writes them (type pg_snapshot): "xmin:xmax:xip,xip". Pure; any thread. */
#ifndef DATABASE_PG_SNAPSHOT_H
#define DATABASE_PG_SNAPSHOT_H

#include "base/buf.h"
#include "database/snapshot.h"

/* Reads what a primary said; more than SNAPSHOT_MAX_RUNNING running transactions are cut, so that less is claimed.
 * False when it is no such text. */
bool pg_snapshot_read(struct slice text, struct snapshot *out) MUST_CHECK;

/* Appends the text. Errors as buf_append. */
enum err pg_snapshot_put(struct buf *out, const struct snapshot *snapshot) MUST_CHECK;

#endif
