/* How often keys were asked for lately, known by their hashes alone and in a few bytes each: an estimate that is never
 * too low but for what aging took. Not thread-safe. Private to policies. */
#ifndef CACHE_SKETCH_H
#define CACHE_SKETCH_H

#include "base/err.h"

#include <stdint.h>

struct sketch_block;

/* All zero: an empty one that takes no memory and knows nothing. */
struct sketch {
        struct sketch_block *blocks;
        uint32_t mask;   /* how many blocks there are, less one; a power of two less one */
        uint32_t sample; /* counted since everything was halved */
        uint32_t period; /* halved after so many */
};

/* Frees its memory; it knows nothing then. */
void sketch_deinit(struct sketch *s);

/* From now on it is for a cache of `entries`. What it knows stays; where there is no memory, it stays as small as it
 * is. Cheap when nothing changes. */
void sketch_fit(struct sketch *s, uint32_t entries);

/* Counts one more use of the key. */
void sketch_count(struct sketch *s, uint32_t hash);

/* How often it was counted, 0 to 16. */
unsigned sketch_estimate(const struct sketch *s, uint32_t hash);

/* Memory that it takes. */
uint64_t sketch_bytes(const struct sketch *s);

#endif
