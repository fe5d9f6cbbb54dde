/* Private to pg_check*.c: one check under way. */
#ifndef DATABASE_PG_CHECK_PARTS_H
#define DATABASE_PG_CHECK_PARTS_H

#include "base/arena.h"
#include "database/pg_check.h"

/* One SQL of the record types: a type's, or that of whether ids of a subject exist. */
struct pg_check_sql {
        const char *name; /* the type's, or the subject's */
        const struct record_sql *sql;
        const struct record_subject *subject; /* of its keys */
        const struct record_type *type;       /* NULL: it is the subject's */
        const struct record_table *table;     /* that it is of; NULL: none */
        enum id_kind id_kind;
        struct pg_check_type found;
        bool limited; /* it returns valid_until */
};

struct pg_check {
        struct arena arena;
        const struct record_types *types;
        PGconn *conn;
        enum pg_check_cover cover;
        bool watched; /* vc_watch is there and may be read */
        struct pg_check_type *of;
        struct pg_check_problem *problems;
        uint32_t problem_count;
        uint32_t problem_room;
        struct pg_check_view *views;
        uint32_t view_count;
        uint32_t view_room;
};

/* The name under which the SQL is prepared, and made a function. */
#define PG_CHECK_NAME "vc_check"

/* Runs a query with up to 8 text parameters (NULL-terminated; NULL: none). ERR_UNAVAILABLE: it failed, which nothing
 * that is asked here does on a server that works; *out is NULL then, else the caller's to PQclear. */
enum err pg_check_ask(struct pg_check *check, const char *query, const char *const *values, PGresult **out,
        struct err_msg *msg) MUST_CHECK;

/* Whether a failure is the statement's own fault (it would fail again), and not the server's or the connection's. */
bool pg_check_is_refusal(const PGresult *result);

/* ERR_UNAVAILABLE with what the server or libpq said. */
enum err pg_check_failed(const struct pg_check *check, const PGresult *result, struct err_msg *msg);

/* Notes a problem of the SQL, whose text is as printf makes it, and what follows from its weight. ERR_NOMEM. */
enum err pg_check_tell(struct pg_check *check, struct pg_check_sql *sql, enum pg_check_weight weight,
        const char *format, ...) __attribute__((format(printf, 4, 5))) MUST_CHECK;

/* The parts, in their order: parameters and columns; relations and functions (into check->views, too); the index of the
 * key. Each only of what the one before found servable. Errors as pg_check_run. */
enum err pg_check_describe(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg) MUST_CHECK;
enum err pg_check_reads(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg) MUST_CHECK;
enum err pg_check_index(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg) MUST_CHECK;

#endif
