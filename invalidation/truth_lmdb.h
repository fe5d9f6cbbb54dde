/* The embedded provider of truth: the writer thread itself says what it touches (docs/FRESHNESS.md).
 *
 * Around each commit: poison the tags, commit, raise their slots and lift the poison, acknowledge. So a read that
 * begins after an acknowledgement finds the slots raised, and no entry answers while it is open whether the commit
 * has become visible: two reads, one after the other, never see a value and then the one before it. */
#ifndef INVALIDATION_TRUTH_LMDB_H
#define INVALIDATION_TRUTH_LMDB_H

#include "database/source.h"
#include "invalidation/freshness.h"

/* The hooks that publish an LMDB source's commits in `f`, which is always_certain and outlives the source. `epoch` is
 * drawn at random at each opening and is not EPOCH_NONE: a restored copy of the environment repeats transaction
 * ids. */
struct source_hooks truth_lmdb_hooks(struct freshness *f, uint64_t epoch);

#endif
