#include "database/snapshot.h"

#include "database/mutant.h"

#include <string.h>

struct snapshot snapshot_of_primary(uint64_t xmin, uint64_t xmax, const uint64_t *xip, size_t running)
{
        struct snapshot s = {.xmin = xmin, .xmax = xmax};

        if (running > SNAPSHOT_MAX_RUNNING) {
                s.xmax = xmin;
                return s;
        }
        s.running = (uint32_t)running;
        if (running > 0)
                memcpy(s.xip, xip, running * sizeof(*xip));
        return s;
}

struct snapshot snapshot_of_replica(uint64_t xmin, uint64_t xmax)
{
        return (struct snapshot){.xmin = xmin, .xmax = MUTANT(REPLICA_AS_PRIMARY) ? xmax : xmin};
}

bool snapshot_has(const struct snapshot *s, uint64_t xid)
{
        if (xid < s->xmin)
                return true;
        if (xid >= s->xmax)
                return false;
        if (MUTANT(RUNNING_IGNORED))
                return true;
        for (uint32_t i = 0; i < s->running; i++) {
                if (s->xip[i] == xid)
                        return false;
        }
        return true;
}

/* inner is contained in outer unless some transaction is in inner and not in outer. Such a one is below inner's xmax,
 * and is missing from outer either because it is at or above outer's xmax (excluded by the first test) or because outer
 * saw it running: then inner must have seen it running too. */
bool snapshot_contains(const struct snapshot *outer, const struct snapshot *inner)
{
        if (outer->xmax < inner->xmax)
                return false;
        if (MUTANT(CONTAINED_BY_XMAX))
                return true;
        for (uint32_t i = 0; i < outer->running; i++) {
                if (outer->xip[i] < inner->xmax && snapshot_has(inner, outer->xip[i]))
                        return false;
        }
        return true;
}
