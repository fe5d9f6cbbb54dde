/* The ring: the last polls of a polled source, each as (number k, snapshot P_k). It turns the snapshot of a read
 * into a position: the newest poll whose snapshot the read's contains. What is older than the ring has no position.
 *
 * One thread (the publisher) adds and clears; any thread asks, without a lock. */
#ifndef INVALIDATION_RING_H
#define INVALIDATION_RING_H

#include "base/err.h"
#include "database/snapshot.h"

struct ring;

/* Keeps the last `polls` (at least 1). ERR_NOMEM; *out is NULL then. */
enum err ring_create(struct ring **out, uint32_t polls) MUST_CHECK;
void ring_destroy(struct ring **ring);

/* The newest poll contained in `snapshot`; POSITION_NONE when none is known. Any thread. A poll that is being
 * replaced while this runs may be passed over: an older position is then the answer, which is safe. */
struct position ring_contained(const struct ring *ring, const struct snapshot *snapshot);

/* Whether a poll's snapshot contains transaction `xid`: then what it touched is known here. Any thread. */
bool ring_has(const struct ring *ring, uint64_t xid);

/* Publisher only. `number` is greater than any before. */
void ring_add(struct ring *ring, struct position number, const struct snapshot *snapshot);
/* Publisher only: another history has begun; its snapshots are not to be compared with these. */
void ring_clear(struct ring *ring);

#endif
