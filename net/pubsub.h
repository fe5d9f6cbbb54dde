/* The invalidations channel: what a write touched is told to every subscriber, whatever lane it is on. A hint, like
 * all messages: one that is lost (no memory, a subscriber cut off) costs nobody the truth. */
#ifndef NET_PUBSUB_H
#define NET_PUBSUB_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

struct pubsub;
struct lane;

#define PUBSUB_CHANNEL "invalidations" /* the one there is */

/* For `lanes` lanes, each to be attached before any is run. ERR_NOMEM; *out is NULL then. */
enum err pubsub_create(struct pubsub **out, uint32_t lanes) MUST_CHECK;

/* No lane may publish any more. Nulls; NULL-safe. */
void pubsub_destroy(struct pubsub **pubsub);

/* Names the lane that gets what its subscribers are sent. Before any lane runs. */
void pubsub_attach(struct pubsub *pubsub, struct lane *lane);

/* One subscriber more or less on this lane. On that lane's thread. */
void pubsub_count(struct pubsub *pubsub, const struct lane *lane, int change);

/* The lane after this one; the first after the last. Any lane's thread. */
struct lane *pubsub_next_lane(const struct pubsub *pubsub, const struct lane *lane);

/* Subscribers at present, over all lanes. Any thread. */
uint32_t pubsub_subscribers(const struct pubsub *pubsub);

/* Sends a copy of `payload` to every subscriber; returns to how many. Any lane's thread. */
uint32_t pubsub_publish(struct pubsub *pubsub, struct slice payload);

#endif
