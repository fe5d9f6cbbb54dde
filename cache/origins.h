/* Where entries come from: pairs of a history (epoch) and a type's definition. There are a handful at a time, so an
 * entry keeps the number of its pair, not the pair. A pair's number is used for another when no entry has it any more.
 * Private to cache/. */
#ifndef CACHE_ORIGINS_H
#define CACHE_ORIGINS_H

#include "base/err.h"

#include <stdint.h>

struct origins;

enum { ORIGINS_MAX = 1024 }; /* at a time: every type there can be, in 16 histories */

struct origin {
        uint64_t epoch;
        uint64_t def;
};

/* ERR_NOMEM; *out is NULL then. */
enum err origins_create(struct origins **out) MUST_CHECK;
/* Nulls; NULL-safe. */
void origins_destroy(struct origins **origins);

/* The number of a pair, the same for equal ones, for an origins_drop(). ERR_LIMIT: so many are in use. Any thread;
 * takes a short lock. */
enum err origins_take(struct origins *origins, struct origin origin, uint16_t *number) MUST_CHECK;
/* One user less. Any thread; no lock. */
void origins_drop(struct origins *origins, uint16_t number);

/* The pair of a number that the caller has, or an entry that it holds. Any thread; no lock. */
struct origin origins_at(const struct origins *origins, uint16_t number);

#endif
