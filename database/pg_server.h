/* Which PostgreSQL, and how to talk to it: what connections (pg_conn.h) and pools (pg_pool.h) are given.
 *
 * Hosts, role, password, TLS are libpq's own language (a conninfo string or a postgresql:// URL; several hosts,
 * target_session_attrs, sslmode=verify-full, passfile, service...). What vitalcache reads must not depend on how a role
 * or database is set up, so each session gets settings of ours: by libpq's `options` when it opens, or, behind a pooler
 * that knows no sessions, in each transaction's first statement (pg_server_session_sql). */
#ifndef DATABASE_PG_SERVER_H
#define DATABASE_PG_SERVER_H

#include "base/clock.h"
#include "base/err.h"
#include "database/pg_hosts.h"

struct pg_server {
        const char *name; /* for logs and people: "primary", "replica 2"; never from the DSN */
        const char *dsn;  /* conninfo or URL; holds the password perhaps: never shown */
        struct nanos connect_timeout;
        struct nanos statement_timeout; /* of each statement, at the server */
        const char *search_path;        /* NULL: the role's */
        bool prepared;                  /* false: unnamed statements only (a pooler in transaction mode) */
        uint32_t prepared_max;          /* the most prepared statements that a connection keeps */
        bool session_settings;          /* false: the pooler refuses `options`; see pg_server_session_sql */
};

enum { PG_SERVER_PLACE_SIZE = 256, PG_SERVER_SQL_SIZE = 1024, PG_SERVER_OPTIONS_SIZE = 1024 };

/* Whether the DSN can be read at all. ERR_CONFIG with a message that quotes nothing of it (it may hold a password).
 * Asks no server and no name service. Any thread. */
enum err pg_server_check(const struct pg_server *server, struct err_msg *msg) MUST_CHECK;

/* Where it is, for people: "db1:5432,db2:5432/clinic", into `out` of PG_SERVER_PLACE_SIZE bytes (cut to fit); no role,
 * no password. "?" when the DSN cannot be read. Any thread. */
void pg_server_place(const struct pg_server *server, char *out);

/* `SELECT set_config(..., true), ...`: our settings for the rest of a transaction, to be its first statement when
 * !session_settings; into `out` of PG_SERVER_SQL_SIZE bytes. ERR_LIMIT when search_path is too long for it. */
enum err pg_server_session_sql(const struct pg_server *server, char *out) MUST_CHECK;

/* Takes the DSN's hosts apart. ERR_CONFIG, ERR_NOMEM: *hosts is empty. */
enum err pg_server_hosts(const struct pg_server *server, struct pg_hosts *hosts) MUST_CHECK;

/* What PQconnectStartParams is given: keywords and values, both ended by NULL. Made for one attempt. */
struct pg_server_words {
        PQconninfoOption *parsed; /* owns most of the values */
        char options[PG_SERVER_OPTIONS_SIZE];
        struct pg_host hosts; /* lists */
        const char *keywords[64];
        const char *values[64];
};

/* Makes the words for an attempt that tries these hosts (empty: what the DSN says), beginning with number `first_host`;
 * libpq goes on by itself to the next when one refuses. Needed since libpq, when it is not blocking, waits for ever for
 * a host that does not answer: the next attempt then begins behind it.
 * ERR_CONFIG, ERR_NOMEM; on failure *words needs no deinit. */
enum err pg_server_words_init(struct pg_server_words *words, const struct pg_server *server,
        const struct pg_hosts *hosts, uint32_t first_host) MUST_CHECK;

/* Frees what init made. */
void pg_server_words_deinit(struct pg_server_words *words);

#endif
