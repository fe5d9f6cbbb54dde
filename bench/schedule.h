/* When requests of an open loop are meant to be sent: at an even rate, whatever the server does. Latency is counted
 * from these moments, not from when the client came to send: else a server that stalls would also stop the clock, and
 * the requests that it kept from being sent would never show (Gil Tene's "coordinated omission"). */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include "base/clock.h"

struct schedule {
        struct nanos start;
        uint64_t rate; /* requests a second, at least 1 */
};

/* The moment of request number `n`, from 0: no error adds up, however many there have been. Pure. */
static inline struct nanos schedule_time(const struct schedule *s, uint64_t n)
{
        return (struct nanos){s->start.ns + (int64_t)((unsigned __int128)n * NANOS_PER_S / s->rate)};
}

/* How many requests are to have been sent by `now`. Pure. */
static inline uint64_t schedule_due(const struct schedule *s, struct nanos now)
{
        if (nanos_before(now, s->start))
                return 0;
        return (uint64_t)(((unsigned __int128)(now.ns - s->start.ns + 1) * s->rate + NANOS_PER_S - 1) / NANOS_PER_S);
}

#endif
