/* The table of fills in flight, shared by all workers: for each key that is being read from the source it knows the
 * fill that others may join. It keeps who waits for what; it neither reads the source (cache/batch.h) nor judges
 * freshness. Private to cache/. */
#ifndef CACHE_FILLS_H
#define CACHE_FILLS_H

#include "cache/fill.h"

struct fills;

struct fills_config {
        uint32_t max; /* fills in flight at most */
        uint64_t seed;
        bool always_certain; /* of the freshness layer: fill_rule_may_join */
};

/* ERR_NOMEM; *out is NULL then. */
enum err fills_create(struct fills **out, const struct fills_config *config) MUST_CHECK;
/* There must be none in flight. Nulls; NULL-safe. */
void fills_destroy(struct fills **fills);

/* Makes the waiter one of a fill of that key, which is started if none in flight can satisfy it: *started, and then the
 * caller has to get fill->read answered and to close the fill. (So two fills of one key can be in flight, the older of
 * them sent already.) *out is a reference, to be released. ERR_BUSY, ERR_NOMEM: nothing has changed. Any thread. */
enum err fills_join_or_start(
        struct fills *fills, const struct fill_request *request, struct fill **out, bool *started) MUST_CHECK;

/* QUEUED -> SENT. `now` was read before the source is asked. */
void fills_sent(struct fills *fills, struct fill *fill, struct nanos now);

/* The formats that are wanted so far, as bits. Any thread. */
uint32_t fills_wanted(struct fills *fills, struct fill *fill);

/* SENT -> DONE if all wanted formats are in `made`: takes the fill out of the table, moves its waiters to *waiters and
 * gives up the table's reference. False: someone has joined who wants another format; nothing has changed. */
bool fills_close(struct fills *fills, struct fill *fill, uint32_t made, struct list *waiters) MUST_CHECK;

/* Fills in flight now. Any thread. */
uint32_t fills_in_flight(const struct fills *fills);

#endif
