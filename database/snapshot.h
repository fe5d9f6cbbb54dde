/* What a read saw: the snapshot of the database's history that its data came from, in PostgreSQL's terms, which hold
 * for LMDB too (there xmin == xmax == transaction id + 1 and nothing is running).
 *
 *      every transaction below xmin is contained; none from xmax on is; of those between, all but the ones in xip
 *      are.
 *
 * A position is a place in the history as this node has seen it; it only grows. LMDB: the write transaction's id;
 * a polled database: the number of the poll. The two are types of their own, so that the compiler keeps them
 * apart. */
#ifndef DATABASE_SNAPSHOT_H
#define DATABASE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct position {
        uint64_t n;
};

#define POSITION_NONE ((struct position){0})

enum { SNAPSHOT_MAX_RUNNING = 64 };

struct snapshot {
        uint64_t xmin;
        uint64_t xmax;
        uint64_t end;     /* its xmax before it was cut: below it, more may be contained than is claimed */
        uint32_t running; /* how many of xip are set; ascending */
        uint64_t xip[SNAPSHOT_MAX_RUNNING];
};

/* The snapshot of an LMDB read transaction of id `txn`. */
static inline struct snapshot snapshot_of_txn(uint64_t txn)
{
        return (struct snapshot){.xmin = txn + 1, .xmax = txn + 1, .end = txn + 1, .running = 0};
}

/* A primary's snapshot from its parts; `running` transaction ids in xip, ascending. More than SNAPSHOT_MAX_RUNNING of
 * them are cut to (xmin, xmin, {}): less is claimed, never more. But who asks whether all of it is in another one must
 * not be told of the claim only: `end` keeps where it had ended. Pure. */
struct snapshot snapshot_of_primary(uint64_t xmin, uint64_t xmax, const uint64_t *xip, size_t running);

/* What may be believed of a snapshot taken on a replica: (xmin, xmin, {}). A replica's list of running transactions
 * is empty, so that open ones look finished (measured with PostgreSQL 15). Pure. */
struct snapshot snapshot_of_replica(uint64_t xmin, uint64_t xmax);

/* True when all that `inner` contains is contained in `outer` as well. Both are of one history, where snapshots form
 * a chain. Never true wrongly: of a cut `outer` counts what it claims, of a cut `inner` all that it may contain. Pure.
 */
bool snapshot_contains(const struct snapshot *outer, const struct snapshot *inner);

/* True when transaction `xid` is contained (it had ended before the snapshot, as far as the snapshot knows). Pure. */
bool snapshot_has(const struct snapshot *s, uint64_t xid);

#endif
