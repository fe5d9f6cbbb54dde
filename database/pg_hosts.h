/* The hosts of a DSN, one by one, and their addresses.
 *
 * libpq asks the name service while it connects, and waits for the answer: on a loop, all clients of that loop would
 * wait with it. So names are looked up before (pg_lookup.h), and libpq is given addresses beside the names (which
 * certificates are compared with). */
#ifndef DATABASE_PG_HOSTS_H
#define DATABASE_PG_HOSTS_H

#include "base/err.h"

#include <libpq-fe.h>

#include <stdbool.h>
#include <stdint.h>

/* "" where the DSN says nothing. */
struct pg_host {
        char *name; /* or the folder of a socket */
        char *address;
        char *port;
};

struct pg_hosts {
        struct pg_host *list;
        uint32_t count; /* 0: the DSN names none, or lists that do not fit together; libpq has its own words for that */
};

/* The value of a keyword among libpq's options; "" when it has none. Borrowed. Any thread. */
const char *pg_hosts_option(const PQconninfoOption *options, const char *keyword);

/* Takes them apart: host, hostaddr and port are lists of one length (one port may stand for all). ERR_NOMEM: *hosts is
 * empty. */
enum err pg_hosts_read(struct pg_hosts *hosts, const PQconninfoOption *options) MUST_CHECK;

/* True when one has neither an address nor a socket. */
bool pg_hosts_need_lookup(const struct pg_hosts *hosts);

/* Asks the name service, and waits for it: each host becomes as many as it has addresses; one that is not known is
 * dropped. ERR_NOTFOUND when none is left; ERR_NOMEM. After a failure *hosts is as it was. Any thread. */
enum err pg_hosts_look_up(struct pg_hosts *hosts) MUST_CHECK;

/* The lists again, beginning with number `first` (modulo their count), the others behind it in turn. The caller frees
 * each of the three; after ERR_NOMEM all are NULL. `hosts` is not empty. */
enum err pg_hosts_join(const struct pg_hosts *hosts, uint32_t first, struct pg_host *lists) MUST_CHECK;

/* Frees; *hosts is empty. */
void pg_hosts_deinit(struct pg_hosts *hosts);

#endif
