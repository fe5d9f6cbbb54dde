/* The tiered read: L1, fills in flight, the source; in the order of LOOKUP_STEPS (cache/lookup.c, the file to read if
 * one reads only one). One struct tiers is shared by all workers; each worker has a struct reader for its own loop. */
#ifndef CACHE_LOOKUP_H
#define CACHE_LOOKUP_H

#include "cache/l1.h"
#include "database/source.h"
#include "invalidation/freshness.h"

struct event_base;
struct tiers;
struct reader;

enum wire_format { FORMAT_JSON, FORMAT_MSGPACK, FORMAT_COUNT_ };
enum tier { TIER_NONE, TIER_L1, TIER_JOINED, TIER_DATABASE };

struct tiers_config {
        struct l1 *l1; /* NULL: L1 is switched off */
        struct source *source;
        struct freshness *freshness;
        const struct record_types *types;
        uint32_t fills_max;          /* fills in flight, past which a read is BUSY */
        uint32_t ttl_jitter_percent; /* an entry lives its TTL less up to so much */
};

/* Shared by all workers; borrows all that the configuration points to. ERR_NOMEM; *out is NULL then. */
enum err tiers_create(struct tiers **out, const struct tiers_config *config) MUST_CHECK;
/* After every reader is destroyed. Nulls; NULL-safe. */
void tiers_destroy(struct tiers **tiers);

/* One per worker thread, on its loop. Destroy it after the last lookup of that worker is done. */
enum err reader_create(struct reader **out, struct tiers *tiers, struct event_base *base) MUST_CHECK;
void reader_destroy(struct reader **reader);

/* One read of one key. The caller owns it (zeroed, in-fields set) and keeps it and what its slices point to until it is
 * done; then reads the out-fields and calls lookup_deinit. */
struct lookup {
        /* in */
        const struct record_type *type;
        struct slice tenant;
        struct slice id;
        enum wire_format format;
        struct nanos now; /* the read's invocation: read after the read() that delivered it */
        bool has_after;
        struct position after; /* answer from state at least that new (its epoch has been checked) */
        bool allow_stale;
        void (*done)(struct lookup *lookup); /* on the reader's loop; not called when lookup_start says it is done */
        void *context;
        /* out */
        enum err status;
        struct err_msg message; /* with status != OK: names the tier that failed */
        bool found;             /* false with status OK: no such student */
        struct slice value;     /* in the wire format; valid until lookup_deinit */
        enum tier tier;
        bool stale; /* only ever true with allow_stale */
        struct position as_of;
        struct nanos age; /* since the read that made the value was sent */
        /* the tiers' own */
        struct list link;
        struct l1_entry *entry;
        struct fill *fill;
        struct buf owned;
};

/* Starts the read. True: it is done now (an L1 hit, or an error known at once) and `done` will not be called. False:
 * `done` follows on this reader's loop. The reader's thread only. */
bool lookup_start(struct reader *reader, struct lookup *lookup) MUST_CHECK;

/* Gives back what a done lookup borrows. */
void lookup_deinit(struct lookup *lookup);

/* What EXPLAIN tells of a key; reads nothing from the source. */
struct lookup_explain {
        bool cached;
        enum verdict verdict;
        bool found;
        struct nanos age;
        struct nanos expires_in;
        struct position as_of;
        uint32_t fill_micros;
        uint64_t bytes;
        struct nanos certificate_age;
};
/* Fills *out for the key that `lookup` names by its in-fields. Any thread. */
void lookup_explain(struct tiers *tiers, const struct lookup *lookup, struct lookup_explain *out);

/* The tags of a type's entry, in text and order of docs/FRESHNESS.md: for EXPLAIN. `visit` gets each one. */
void lookup_tags(const struct record_type *type, struct slice tenant, struct slice id,
        void (*visit)(void *context, const struct tag *tag), void *context);

#endif
