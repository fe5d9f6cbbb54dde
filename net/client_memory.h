/* What the connections of all lanes hold together, and its bound (limits.client_memory). Past it, the connection that
 * holds most is closed, then the next, until the rest is within the bound again. */
#ifndef NET_CLIENT_MEMORY_H
#define NET_CLIENT_MEMORY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct client_memory;
struct lane;

/* Nothing held yet; `lanes` lanes, attached to the services' pubsub. ERR_NOMEM; *out is NULL then. */
enum err client_memory_create(struct client_memory **out, uint64_t bound, uint32_t lanes) MUST_CHECK;

/* No lane may run any more. Nulls; NULL-safe. */
void client_memory_destroy(struct client_memory **memory);

/* A connection of `lane` holds so many bytes more (or less). On that lane's thread. The search for the largest begins
 * in a message, so that no connection is closed within the call. */
void client_memory_change(struct client_memory *memory, struct lane *lane, int64_t change);

/* Whether a connection is being looked for that is to be closed: nothing is read until then, as what is read would go
 * on adding up meanwhile. It is a matter of a few messages from lane to lane. Any thread. */
bool client_memory_is_short(const struct client_memory *memory);

/* Bytes that connections hold now. Any thread. */
uint64_t client_memory_bytes(const struct client_memory *memory);

#endif
