/* What a read saw: the snapshot of the database's history that its data came from, in PostgreSQL's terms, which hold for
 * LMDB too (there xmin == xmax == transaction id + 1 and nothing is running).
 *
 *      every transaction below xmin is contained; none from xmax on is; of those between, all but the ones in xip are.
 *
 * A position is a place in the history as this node has seen it; it only grows. LMDB: the write transaction's id;
 * a polled database: the number of the poll. The two are types of their own, so that the compiler keeps them apart. */
#ifndef DATABASE_SNAPSHOT_H
#define DATABASE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

struct position {
        uint64_t n;
};

#define POSITION_NONE ((struct position){0})

enum { SNAPSHOT_MAX_RUNNING = 64 };

struct snapshot {
        uint64_t xmin;
        uint64_t xmax;
        uint32_t running; /* how many of xip are set; ascending */
        uint64_t xip[SNAPSHOT_MAX_RUNNING];
};

/* The snapshot of an LMDB read transaction of id `txn`. */
static inline struct snapshot snapshot_of_txn(uint64_t txn)
{
        return (struct snapshot){.xmin = txn + 1, .xmax = txn + 1, .running = 0};
}

/* True when all that `inner` contains is contained in `outer` as well. Pure. */
bool snapshot_contains(const struct snapshot *outer, const struct snapshot *inner);

/* True when transaction `xid` is contained (committed before the snapshot, as far as the snapshot knows). Pure. */
bool snapshot_has(const struct snapshot *s, uint64_t xid);

#endif
