#include "database/snapshot.h"

#include "database/mutant.h"

#include <string.h>

struct snapshot snapshot_of_primary(uint64_t xmin, uint64_t xmax, const uint64_t *xip, size_t running)
{
        struct snapshot s = {.xmin = xmin, .xmax = xmax, .end = xmax};

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
        return (struct snapshot){.xmin = xmin, .xmax = MUTANT(REPLICA_AS_PRIMARY) ? xmax : xmin, .end = xmax};
}

static bool is_running(const struct snapshot *s, uint64_t xid)
{
        if (MUTANT(RUNNING_IGNORED))
                return false;
        for (uint32_t i = 0; i < s->running; i++) {
                if (s->xip[i] == xid)
                        return true;
        }
        return false;
}

bool snapshot_has(const struct snapshot *s, uint64_t xid)
{
        return xid < s->xmin || (xid < s->xmax && !is_running(s, xid));
}

/* inner is contained in outer unless some transaction is in inner and not in outer. Such a one is below inner's end,
 * and is missing from outer either because it is at or above outer's xmax (excluded by the first test) or because outer
 * saw it running: then inner must have seen it running too. What was cut off inner's list may have been running or not:
 * it counts as contained. (A poll's snapshot that was cut, taken for no more than it claims, would be found in a read
 * older than the poll: the read would be stamped with the very touches that it lacks.) */
bool snapshot_contains(const struct snapshot *outer, const struct snapshot *inner)
{
        const uint64_t end = MUTANT(CUT_POLL_CONTAINED) ? inner->xmax : inner->end;

        if (outer->xmax < end)
                return false;
        if (MUTANT(CONTAINED_BY_XMAX))
                return true;
        for (uint32_t i = 0; i < outer->running; i++) {
                if (outer->xip[i] < end && !is_running(inner, outer->xip[i]))
                        return false;
        }
        return true;
}
