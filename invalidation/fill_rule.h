/* Which reads a fill may answer. A fill is one read of the source, in flight or done, that many reads of a key may
 * wait for (single-flight). Pure functions; any thread.
 *
 * The one sure case: a fill that was sent to the source of truth itself after a read had been invoked. What it brings
 * was the truth at a moment within that read, whatever is touched meanwhile: so a hot key never starves. Every other
 * fill is judged like a cached entry. */
#ifndef INVALIDATION_FILL_RULE_H
#define INVALIDATION_FILL_RULE_H

#include "base/clock.h"
#include "base/err.h"
#include "database/snapshot.h"

struct fill_origin {
        struct nanos sent; /* read from the clock before the fill was sent; NANOS_NEVER: not sent yet */
        bool primary;      /* asked of the source of truth itself; false: of a replica, which may lag */
        bool beaten;       /* its own transaction was confirmed by a synchronous replica: it WAS the primary */
};

enum fill_fit {
        FILL_ANSWERS,         /* its result answers the read, cacheable or not */
        FILL_ANSWERS_IF_FRESH /* only if freshness_check of its stamp says so, for the read's own bound and invocation
                                 (and, for AFTER, freshness_reached said so before that); else the read needs another */
};

/* How a fill fits a read invoked at `invoked` (clock read after the bytes of the command had arrived). */
enum fill_fit fill_rule_fit(const struct fill_origin *fill, struct nanos invoked);

/* Whether waiting for the fill has a chance: with a polled source a bound of 0 is kept by no cached copy. */
bool fill_rule_may_join(enum fill_fit fit, struct nanos bound, bool always_certain);

/* Whether its result is worth storing: it was a success ("no such student" is one; an error is never cached), and the
 * position of what it read is known (freshness_as_of). */
bool fill_rule_may_store(enum err status, struct position as_of);

#endif
