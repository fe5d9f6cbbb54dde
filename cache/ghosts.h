/* Ghosts: the hashes of the keys that went last, so that one that comes back soon is known. A queue: a new one comes in
 * at its end, the oldest falls out, and one that is recalled leaves room for another. Not thread-safe. Private to
 * policies. */
#ifndef CACHE_GHOSTS_H
#define CACHE_GHOSTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct ghost;

/* All zero: an empty queue that takes no memory. */
struct ghosts {
        struct ghost *slots;
        uint32_t buckets;
        uint32_t span;   /* how many are to be known */
        uint32_t known;  /* how many are */
        uint32_t born;   /* the number of the newest birth */
        uint32_t window; /* how many births back the oldest of the queue is */
};

/* Frees its memory; it is empty then. */
void ghosts_deinit(struct ghosts *g);

/* From now on the last `span` are known. Makes the memory for them once something has been remembered, and new memory
 * when the span has changed a good deal, which forgets all; where there is none, it goes on with what there is. */
void ghosts_fit(struct ghosts *g, uint32_t span);

/* One more that went. Allocates nothing. */
void ghosts_remember(struct ghosts *g, uint32_t hash);

/* Whether `hash` is known; it is not any more. */
bool ghosts_recall(struct ghosts *g, uint32_t hash) MUST_CHECK;

/* Memory that it takes. */
uint64_t ghosts_bytes(const struct ghosts *g);

#endif
