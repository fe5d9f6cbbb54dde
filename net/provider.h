/* How this node learns what has changed in the database, for people: of HEALTH, and of INFO (section Database). */
#ifndef NET_PROVIDER_H
#define NET_PROVIDER_H

#include "base/buf.h"
#include "net/resp_write.h"
#include "net/services.h"

/* Writes the map's value. Any thread. */
void provider_write(struct resp_writer *out, const struct services *services);

/* Appends lines "name:value". Errors as buf_append. Any thread. */
enum err provider_lines(struct buf *out, const struct services *services, struct nanos now) MUST_CHECK;

#endif
