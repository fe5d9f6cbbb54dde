/* The tiers of a node put together: L1, the fills in flight, the source. Shared by all workers, each of which has a
 * struct reader (cache/reader.h) for its own loop. Reads go through cache/lookup.h. */
#ifndef CACHE_TIERS_H
#define CACHE_TIERS_H

#include "cache/l1.h"
#include "database/source.h"
#include "invalidation/freshness.h"

struct tiers;

struct tiers_config {
        struct l1 *l1; /* NULL: L1 is switched off */
        struct source *source;
        struct freshness *freshness;
        struct nanos ttl_default;    /* for types whose own ttl_l1 is 0 */
        struct nanos bound_default;  /* polled sources: for types without a bound of their own */
        struct nanos retry_within;   /* 0: no limit. A read asks the source no more than this after its invocation */
        uint32_t ttl_jitter_percent; /* an entry lives its TTL less up to so much (0..100) */
        uint64_t seed;               /* of the hash of keys in flight, and of the jitter */
        uint32_t fills_max;          /* fills in flight, past which a read is BUSY */
        struct nanos (*clock)(void); /* clock_boot; tests bring their own */
};

/* The bound of the type's reads: its own or the default; 0 where the source is always certain. Any thread. */
struct nanos tiers_bound(const struct tiers *tiers, const struct record_type *type);

/* Borrows all that the configuration points to. ERR_NOMEM; *out is NULL then. */
enum err tiers_create(struct tiers **out, const struct tiers_config *config) MUST_CHECK;
/* After every reader is destroyed. Nulls; NULL-safe. */
void tiers_destroy(struct tiers **tiers);

#endif
