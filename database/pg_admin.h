/* A blocking session of someone who administers a PostgreSQL database: for `vitalcache db`, never for the server. One
 * transaction; what changes anything goes through pg_admin_change, which can show it, and leave it at that.
 *
 * Messages quote the database's own: they are for the person at the terminal. Not thread-safe. */
#ifndef DATABASE_PG_ADMIN_H
#define DATABASE_PG_ADMIN_H

#include "base/err.h"

#include <libpq-fe.h>

#include <stdbool.h>
#include <stdint.h>

struct pg_admin {
        PGconn *conn;
        bool dry_run;                                 /* show, and at the end undo, what was done all the same */
        void (*show)(void *context, const char *sql); /* what is (or would be) executed; NULL: nobody asks */
        void *context;
        uint32_t changes; /* statements that changed something */
        char sqlstate[6]; /* of the last failure of the server */
};

/* Connects and looks where it is. ERR_UNAVAILABLE: not reached, or refused; ERR_VERSION: older than PostgreSQL 13;
 * ERR_READONLY: a standby; ERR_CONFIG: the database's encoding is SQL_ASCII, in which ids have no one form. `conn` is
 * NULL then. The other members of *admin are the caller's to set. */
enum err pg_admin_open(struct pg_admin *admin, const char *dsn, struct err_msg *msg) MUST_CHECK;
void pg_admin_close(struct pg_admin *admin);

/* Begins the transaction, in which no wait for a lock is long. */
enum err pg_admin_begin(struct pg_admin *admin, struct err_msg *msg) MUST_CHECK;

/* Commits; in a dry run rolls back, and shows a commit. */
enum err pg_admin_commit(struct pg_admin *admin, struct err_msg *msg) MUST_CHECK;
void pg_admin_rollback(struct pg_admin *admin);

/* Runs a query with up to 4 text parameters (NULL-terminated; NULL: none). *out is the caller's to PQclear; NULL after
 * an error: ERR_PERMISSION, ERR_BUSY (a lock was not to be had), ERR_INTERNAL (what else PostgreSQL refused),
 * ERR_UNAVAILABLE (the connection broke). */
enum err pg_admin_ask(struct pg_admin *admin, const char *sql, const char *const *values, PGresult **out,
        struct err_msg *msg) MUST_CHECK;

/* Executes statements that change something, in a dry run too. Errors as pg_admin_ask. */
enum err pg_admin_change(struct pg_admin *admin, const char *sql, struct err_msg *msg) MUST_CHECK;

/* As pg_admin_change, but in a dry run only shown: what would lock the application's tables. */
enum err pg_admin_change_tables(struct pg_admin *admin, const char *sql, struct err_msg *msg) MUST_CHECK;

/* Executes each statement that a query returns in its last column. */
typedef enum err (*pg_admin_fn)(struct pg_admin *admin, const char *sql, struct err_msg *msg);
enum err pg_admin_change_each(struct pg_admin *admin, const char *query, const char *const *values, pg_admin_fn change,
        struct err_msg *msg) MUST_CHECK;

#endif
