#include "tests/lib/fake_clock.h"

#include <stdatomic.h>

static _Atomic int64_t now_ns;

struct nanos fake_clock(void)
{
        return (struct nanos){atomic_load(&now_ns)};
}

void fake_clock_set(struct nanos now)
{
        atomic_store(&now_ns, now.ns);
}

struct nanos fake_clock_advance(struct nanos by)
{
        return (struct nanos){atomic_fetch_add(&now_ns, by.ns) + by.ns};
}
