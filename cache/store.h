/* The step between the source's answer and the readers': a stamp for what was read, the value in each wanted wire
 * format, entries of L1. Private to cache/. */
#ifndef CACHE_STORE_H
#define CACHE_STORE_H

#include "cache/tiers_parts.h"

/* Writes the stamp of a fill whose read is done: epoch and as_of of the read's snapshot, the tags of its key,
 * and an expiry that counts from sending, less jitter. `now`: when it was done. */
void store_stamp(struct tiers *tiers, struct fill *fill, struct nanos now);

/* Makes the bodies of the formats in `wanted` (bits) and puts each into L1 if it may ever answer from there. What
 * cannot be stored is counted and answered all the same; what cannot be made has its error in its body. */
void store_bodies(struct tiers *tiers, struct fill *fill, uint32_t wanted, struct nanos now);

#endif
