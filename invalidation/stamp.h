/* The stamp: all that an entry must carry to prove itself (docs/FRESHNESS.md, section 2), and the one freshness
 * test. */
#ifndef INVALIDATION_STAMP_H
#define INVALIDATION_STAMP_H

#include "base/clock.h"
#include "database/snapshot.h"

enum { STAMP_TAGS_MAX = 3 + 2 * 16 }; /* three shared by all, and two for each table that a type can read */

struct stamp {
        uint64_t epoch;        /* the history that as_of belongs to */
        uint64_t def;          /* definition of the entry's type */
        struct position as_of; /* the newest position whose whole history the data contains */
        struct nanos expires;  /* absolute, boot clock; never extended by a check */
        uint32_t tag_count;
        const uint32_t *tags; /* slot numbers (freshness_slot_of), borrowed from the entry */
};

/* Why an entry may answer, or why not; EXPLAIN prints it, counters count it. */
enum verdict {
        VERDICT_FRESH,
        VERDICT_EXPIRED,
        VERDICT_OTHER_DEFINITION,
        VERDICT_OTHER_EPOCH,
        VERDICT_TOUCHED,
        VERDICT_POISONED,
        VERDICT_UNCERTIFIED,
        VERDICT_COUNT_
};

/* The epoch of a read whose source could not say which history it saw, and of a node that knows none yet (its floor
 * is above every position): nothing that carries it is ever fresh. */
#define EPOCH_NONE UINT64_C(0)

/* What the node knows at the moment of the test, apart from the certificate. */
struct known {
        uint64_t epoch;        /* the history that the node follows */
        struct position floor; /* the position at which the node began to follow it */
        uint64_t newest_touch; /* slots_newest() of the stamp's tags */
};

/* THE freshness test but for the certificate: pure. */
enum verdict stamp_judge(const struct stamp *stamp, uint64_t def, struct nanos now, const struct known *known);

/* "fresh", "expired", "other-definition"…; never NULL. */
const char *verdict_name(enum verdict verdict);

#endif
