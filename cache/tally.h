/* What the imagined caches hit and missed, and what that says of all keys, of which only some are in the sample. Not
 * thread-safe. Private to cache/. */
#ifndef CACHE_TALLY_H
#define CACHE_TALLY_H

#include "cache/sampled_keys.h"

enum { TALLY_GROUPS = 16 }; /* disjoint parts of the sample: how far they differ says how good it is */

struct tally {
        double expected; /* look-ups that the sample would have if each key had its even share of them */
        double expected_bytes;
        double seen; /* look-ups that it has */
        struct tally_cache {
                double misses[TALLY_GROUPS];
                double byte_misses;
        } caches[IMAGINED_CACHES];
};

/* A tally of nothing is all zeros. */

/* The group of a key. Pure. */
static inline unsigned tally_group(uint32_t hash)
{
        return (hash * 0x9e3779b1u) >> 28;
}

/* A look-up of a key of `group`, which the caches of the mask `missed` missed, and of a value of `bytes` (0: not known
 * yet). */
void tally_lookup(struct tally *tally, unsigned group, uint32_t missed, uint32_t bytes);
/* The caches of `missed` as well missed the look-up just counted. */
void tally_missed_too(struct tally *tally, unsigned group, uint32_t missed, uint32_t bytes);
/* How long the value is that all have missed is known now. */
void tally_missed_bytes(struct tally *tally, uint32_t bytes);
/* So many look-ups, and bytes, of whatever keys, while `rate` of the keys were in the sample. */
void tally_expect(struct tally *tally, uint64_t lookups, uint64_t bytes, double rate);
/* All that was counted counts for so much of itself from now on. */
void tally_fade(struct tally *tally, double factor);

/* Cache number `number`, seen through a sample of `rate` of all keys. All zeros when nothing was looked up. */
struct whatif_figure tally_figure(const struct tally *tally, unsigned number, double rate);

#endif
