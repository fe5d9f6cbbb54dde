/* The definitions of record types (their SQL, the relations that they name) against the live schema: whether each can
 * be served at all, and whether a copy of what it reads can be kept, because every change of that touches one of its
 * tags (docs/FRESHNESS.md, 3.3).
 *
 * What a query reads is found in PostgreSQL's own parse tree of it: of a function made in a transaction that is rolled
 * back, of the views behind it and the policies of its rows. That needs PostgreSQL 14; on 13 nothing is cached. Nothing
 * is executed, and no row of the application is ever read. */
#ifndef DATABASE_PG_CHECK_H
#define DATABASE_PG_CHECK_H

#include "database/record_type.h"

#include <libpq-fe.h>

struct pg_check;

enum pg_check_weight {
        PG_CHECK_SLOW,     /* it is as it should be, but for its price */
        PG_CHECK_UNCACHED, /* it is read through: a copy could be stale without anybody's notice */
        PG_CHECK_WRONG     /* it cannot be read, or must not: the definition is at fault */
};

struct pg_check_problem {
        enum pg_check_weight weight;
        const char *place; /* "file:line:column" of the SQL */
        const char *text;  /* a sentence; it may quote the SQL and names of the schema, never data */
};

struct pg_check_type {
        bool servable;
        bool cacheable;
        bool binary_results;     /* all columns can be read in binary form, and some are cheaper so */
        uint32_t key_type;       /* object id of the type that $1 is an array of; 0: not known, and of composites */
        const uint32_t *columns; /* object ids of the columns' types, in their order */
        uint32_t column_count;
};

/* A view that a type reads: replaced, it may read another table. */
struct pg_check_view {
        const char *relation; /* as format('%I.%I') writes it */
        const char *table;    /* whose tags such a change touches */
};

/* Which relations are taken to be watched. */
enum pg_check_cover {
        PG_CHECK_INSTALLED, /* those of vc_watch: what holds now */
        PG_CHECK_DECLARED   /* those that the types name, and all views: what will hold after `db setup` */
};

/* Checks all types in transactions of its own on a connection that is idle, blocking. ERR_UNAVAILABLE (the connection
 * broke, or the server could not answer: the check says nothing), ERR_NOMEM; *out is NULL then. `types` must outlive
 * *out. */
enum err pg_check_run(struct pg_check **out, PGconn *conn, const struct record_types *types, enum pg_check_cover cover,
        struct err_msg *msg) MUST_CHECK;
void pg_check_destroy(struct pg_check **check);

/* Of the type with that index, parts and the question whether an id exists included. Any thread, as all below. */
const struct pg_check_type *pg_check_type(const struct pg_check *check, uint32_t index);

/* In the order of the types. */
uint32_t pg_check_problem_count(const struct pg_check *check);
const struct pg_check_problem *pg_check_problem_at(const struct pg_check *check, uint32_t index);

/* The first definition that is wrong: ERR_CONFIG with its place and sentence. OK: there is none. */
enum err pg_check_verdict(const struct pg_check *check, struct err_msg *msg) MUST_CHECK;

/* The views that types read; one line for each table. */
uint32_t pg_check_view_count(const struct pg_check *check);
const struct pg_check_view *pg_check_view_at(const struct pg_check *check, uint32_t index);

#endif
