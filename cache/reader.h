/* One worker's access to the tiers: what ties lookups to its loop. */
#ifndef CACHE_READER_H
#define CACHE_READER_H

#include "cache/tiers.h"

struct event_base;
struct reader;

/* One per worker thread, on its loop. ERR_NOMEM, ERR_IO; *out is NULL then. Before the loop runs, or on its thread. */
enum err reader_create(struct reader **out, struct tiers *tiers, struct event_base *base) MUST_CHECK;
/* After the last lookup of *every* reader is done and their threads are joined: until then another worker's fill may
 * still be handing over an answer. Nulls; NULL-safe. */
void reader_destroy(struct reader **reader);

#endif
