/* How long to wait before the next attempt to connect: exponential with full jitter (Brooker, "Exponential backoff and
 * jitter", 2015): evenly spread over a window of 50 ms that doubles with each failure, up to 5 s. Evenly from nothing,
 * so that a thousand nodes that lost the same server do not come back in step. */
#ifndef DATABASE_PG_BACKOFF_H
#define DATABASE_PG_BACKOFF_H

#include "base/clock.h"

enum { PG_BACKOFF_FIRST_MS = 50, PG_BACKOFF_MOST_MS = 5000 };

/* `failures` attempts have failed one after another (at least 1); `random` is any 64 random bits. Any thread. */
static inline struct nanos pg_backoff(uint32_t failures, uint64_t random)
{
        int64_t window = PG_BACKOFF_MOST_MS;

        if (failures <= 7 && (PG_BACKOFF_FIRST_MS << (failures - 1)) < PG_BACKOFF_MOST_MS)
                window = PG_BACKOFF_FIRST_MS << (failures - 1);
        return (struct nanos){(int64_t)(random % (uint64_t)(window * NANOS_PER_MS + 1))};
}

#endif
