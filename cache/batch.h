/* One worker's reads of the source, gathered: all that are added while the loop handles one round of ready sockets go
 * out together, as one fetch_many (one read transaction; one query per type). Private to cache/. */
#ifndef CACHE_BATCH_H
#define CACHE_BATCH_H

#include "database/source.h"

struct event_base;
struct batch;

enum { BATCH_MAX = 512 }; /* reads of one fetch_many: a read transaction stays short, whatever comes in one tick */

struct batch_config {
        struct event_base *base;
        struct source_port *port;
        struct nanos (*clock)(void);
        /* Called for each read just before it is sent; `now` was read before that. */
        void (*sending)(void *context, struct source_read *read, struct nanos now);
        void *context;
};

/* ERR_NOMEM; *out is NULL then. */
enum err batch_create(struct batch **out, const struct batch_config *config) MUST_CHECK;
/* Nothing may be waiting to be sent. Nulls; NULL-safe. */
void batch_destroy(struct batch **batch);

/* Takes `read` (its fields set but for the results) into this tick's batch; its `done` follows, never before this
 * returns. Cannot fail. The loop's thread only. */
void batch_add(struct batch *batch, struct source_read *read);

#endif
