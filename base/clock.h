/* Time. Two kinds that the compiler keeps apart:
 *   struct nanos  a point or a span on the boot clock (CLOCK_BOOTTIME): it never jumps and goes on while the machine
 *                 sleeps, so a stopped and resumed process sees that its certificates and entries have aged.
 *   struct wall   a point on the wall clock (Unix time), for what people read: logs, backups, records.
 * Everything that decides takes `now` as an argument; only loops, main and tests read a clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nanos {
        int64_t ns;
};

struct wall {
        int64_t ms; /* since 1970-01-01T00:00:00Z */
};

#define NANOS_PER_MS INT64_C(1000000)
#define NANOS_PER_S  INT64_C(1000000000)
#define NANOS_NEVER  ((struct nanos){INT64_MAX})
#define NANOS_ZERO   ((struct nanos){0})

static inline struct nanos nanos_ms(int64_t ms)
{
        return (struct nanos){ms * NANOS_PER_MS};
}

/* Saturates at NANOS_NEVER; b is not negative. */
static inline struct nanos nanos_add(struct nanos a, struct nanos b)
{
        return a.ns > INT64_MAX - b.ns ? NANOS_NEVER : (struct nanos){a.ns + b.ns};
}

/* The span from b to a. */
static inline struct nanos nanos_sub(struct nanos a, struct nanos b)
{
        return (struct nanos){a.ns - b.ns};
}

static inline bool nanos_before(struct nanos a, struct nanos b)
{
        return a.ns < b.ns;
}

static inline int64_t nanos_to_ms(struct nanos a)
{
        return a.ns / NANOS_PER_MS;
}

/* Now, by CLOCK_BOOTTIME. Any thread; cannot fail on Linux. */
struct nanos clock_boot(void);

/* Now, by CLOCK_REALTIME. Any thread. */
struct wall clock_wall(void);

enum { CLOCK_TEXT_SIZE = 32 };

/* RFC 3339 in UTC with milliseconds ("2026-11-21T10:00:00.123Z") into `text` of CLOCK_TEXT_SIZE bytes. Any thread. */
void clock_format(struct wall when, char *text);

#endif
