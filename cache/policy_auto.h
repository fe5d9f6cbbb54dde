/* The policy "auto": which of the others is the one to follow, judged by what their shadows miss. Not thread-safe.
 * Private to cache/. */
#ifndef CACHE_POLICY_AUTO_H
#define CACHE_POLICY_AUTO_H

#include "cache/whatif_report.h"

struct policy_auto {
        unsigned choice;  /* the one to follow; the first to begin with */
        uint32_t pending; /* look-ups since the last judgement */
        uint32_t pending_misses[WHATIF_POLICIES];
        double seen; /* of the recent past: older look-ups count for less */
        double misses[WHATIF_POLICIES];
};

/* All zeros: nothing was seen yet. */

/* A look-up of a sampled key; bit p of `missed`: policy number p missed it. `keys` is how many sampled keys a cache of
 * the present size has. It may change the choice. */
void policy_auto_note(struct policy_auto *a, uint32_t missed, uint64_t keys);

#endif
