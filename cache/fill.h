/* A fill: one read of the source for one key, in flight or done, that any number of reads may wait for (single flight).
 * The table of those in flight is cache/fills.h. Private to cache/.
 *
 *      QUEUED  may be joined by anyone: it will be sent after their invocation
 *      SENT    may be joined, too, where the answer can be proved fresh for who joins (invalidation/fill_rule.h)
 *      DONE    out of the table; its result is there and immutable */
#ifndef CACHE_FILL_H
#define CACHE_FILL_H

#include "base/buf.h"
#include "cache/cache_key.h"
#include "cache/l1.h"
#include "database/source.h"
#include "invalidation/fill_rule.h"
#include "invalidation/stamp.h"

#include <stdatomic.h>

/* A copy that whoever started the fill had, and could not prove: the source may say that it is unmodified. */
struct fill_known {
        struct source_known of; /* its epoch and snapshot */
        struct l1 *l1;
        struct l1_entry *entry; /* held */
        enum wire_format format;
};

enum fill_state { FILL_QUEUED, FILL_SENT, FILL_DONE };

/* The value as one wire format wants it: made once, whoever waits. */
struct fill_body {
        enum err status;
        struct slice value;
        struct buf made; /* holds `value` where it is not the source's own bytes */
};

struct fill {
        /* the table's: guarded by its shard's lock */
        struct fill *chain;
        enum fill_state state;
        uint32_t wanted; /* bit for each wire format that someone waits for */
        struct list waiters;
        /* set when it starts */
        uint64_t hash;
        _Atomic uint32_t refs;
        struct source_read read;
        struct fill_known *known; /* NULL: none */
        struct nanos sent;        /* NANOS_NEVER until it is */
        /* the result: written by whoever completes it, read by the waiters after fills_close */
        struct stamp stamp;
        uint32_t tags[STAMP_TAGS_MAX];
        uint32_t micros; /* from sent to done */
        struct fill_body bodies[FORMAT_COUNT_];
        size_t key_len;
        uint8_t key[]; /* cache_key_of_fill */
};

/* What a read asks for: to be one of those who wait for this key. */
struct fill_request {
        const struct cache_key *key;
        const struct record_type *type;
        size_t tenant_len;
        enum wire_format format;
        struct nanos now;       /* the read's invocation */
        struct nanos bound;     /* the type's, which all reads of the key have */
        bool primary_only;      /* a replica's answer would not do */
        struct l1 *l1;          /* that `known` is of */
        struct l1_entry *known; /* NULL, or an entry of that key and format that has a snapshot */
        struct list *waiter;    /* linked into the fill's waiters until fills_close hands it over */
};

/* A QUEUED fill for the request's key, with one reference, the caller's. NULL: no memory. Any thread. */
struct fill *fill_create(const struct fill_request *request, uint64_t hash) MUST_CHECK;

/* How a fill that is done fits a read invoked at `invoked`. */
enum fill_fit fill_fit(const struct fill *fill, struct nanos invoked);

/* Gives a reference back and nulls the pointer; the last one frees all. NULL-safe. Any thread. */
void fill_release(struct fill **fill);

#endif
