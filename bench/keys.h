/* Which key is asked for next: each alike, by Zipf's law, or one after the other. Keys are numbers from 0. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include "base/err.h"

#include <stdint.h>

struct keys;

enum keys_order { KEYS_UNIFORM, KEYS_ZIPF, KEYS_IN_ORDER };

struct keys_config {
        enum keys_order order;
        uint32_t count;  /* at least 1 */
        double exponent; /* ZIPF: key k is drawn in proportion to 1 / (k + 1)^exponent */
        uint64_t seed;
};

/* ERR_NOMEM; *out is NULL then. One owner, as all calls here. */
enum err keys_create(struct keys **out, const struct keys_config *config) MUST_CHECK;
/* NULL-safe; nulls. */
void keys_destroy(struct keys **keys);

/* The next one, below the count; IN_ORDER begins again after the last. A constant number of steps. */
uint32_t keys_next(struct keys *keys);

#endif
