/* One connection to PostgreSQL on an event loop: libpq, never blocking, in pipeline mode, one exchange at a time.
 *
 * States: closed -> opening -> idle <-> busy; after an exchange that left a transaction open, it is mending (ROLLBACK)
 * between busy and idle. Any failure of the connection closes it: events.closed is told, then an open exchange ends;
 * the owner may open it again. Deadlines hold whatever server and network do: each state that waits has a timer.
 *
 * Logs and counters say SQLSTATE, our own words and the server's configured name: never PostgreSQL's texts (they quote
 * rows), never values, never the DSN. All calls and callbacks on the loop's thread. */
#ifndef DATABASE_PG_CONN_H
#define DATABASE_PG_CONN_H

#include "database/pg_exchange.h"
#include "database/pg_server.h"
#include "database/pg_trouble.h"

struct event_base;
struct pg_conn;

enum pg_conn_state { PG_CONN_CLOSED, PG_CONN_OPENING, PG_CONN_IDLE, PG_CONN_BUSY, PG_CONN_MENDING };

/* What the owner is told; it sets all. None is called from within a call of the owner, except that pg_conn_close ends
 * an open exchange before it returns. A callback must not destroy the connection. */
struct pg_conn_events {
        void (*idle)(void *context, struct pg_conn *conn); /* may run an exchange: after opening, and after each */
        void (*closed)(void *context, struct pg_conn *conn, const struct pg_trouble *trouble);
        void (*ended)(void *context, struct pg_exchange *exchange); /* over: the owner calls done(), or runs it again */
        void (*notify)(void *context, const char *channel, const char *payload); /* LISTEN */
};

struct pg_conn_config {
        struct event_base *base;
        const struct pg_server *server; /* borrowed */
        const char *greeting;           /* NULL, or SQL that each new session runs first: "LISTEN x"; borrowed */
        struct nanos (*now)(void);
        struct pg_conn_events events;
        void *context; /* of the events */
};

/* A closed connection. ERR_NOMEM: *out is NULL. */
enum err pg_conn_create(struct pg_conn **out, const struct pg_conn_config *config) MUST_CHECK;

/* Closes and frees. NULL-safe. Not from within a callback of its own. */
void pg_conn_destroy(struct pg_conn **conn);

/* Begins to open a closed connection; then either events.idle or events.closed is called, at the latest after the
 * connect time-out. first_host: see pg_server_words_init. Never fails at once. */
void pg_conn_open(struct pg_conn *conn, uint32_t first_host);

/* Closes at once, without events.closed; an open exchange ends with PG_FAILURE_CLOSED. No-op when closed. */
void pg_conn_close(struct pg_conn *conn);

/* Sends an exchange over an idle connection. Whatever happens is told later: by its callbacks, at last events.ended. */
void pg_conn_run(struct pg_conn *conn, struct pg_exchange *exchange);

/* Where it stands. */
enum pg_conn_state pg_conn_state(const struct pg_conn *conn);

#endif
