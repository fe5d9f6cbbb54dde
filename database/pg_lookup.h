/* Asks the name service for the hosts of a DSN on a thread of its own, and tells the loop. The service may take as long
 * as it likes: who has given up cancels and goes on; the thread ends by itself. */
#ifndef DATABASE_PG_LOOKUP_H
#define DATABASE_PG_LOOKUP_H

#include "database/pg_hosts.h"

struct event_base;
struct pg_lookup;

/* Called once on the loop's thread, unless cancelled before; never from within pg_lookup_start. The lookup is gone; the
 * hosts are the callee's (and empty unless err is OK; see pg_hosts_look_up). */
typedef void (*pg_lookup_done_fn)(void *context, enum err err, struct pg_hosts *hosts);

/* Starts; takes the hosts over (also on failure). ERR_NOMEM, ERR_IO (no thread, no descriptor): *out is NULL. */
enum err pg_lookup_start(struct pg_lookup **out, struct event_base *base, struct pg_hosts *hosts,
        pg_lookup_done_fn done, void *context) MUST_CHECK;

/* Nobody is told any more. NULL-safe. The loop's thread. */
void pg_lookup_cancel(struct pg_lookup **lookup);

#endif
