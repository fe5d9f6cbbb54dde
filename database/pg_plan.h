/* What one batch of reads asks of PostgreSQL: which queries with which ids, in which steps of one exchange.
 *
 *      BEGIN; our settings; snapshot, epoch and time
 *      each query once, however many reads want it:  query($1 = {ids})
 *      whether DDL has moved the tables under the snapshot; COMMIT; a heartbeat
 *
 * A query that fails takes all with it, so the batch is then planned once more "apart": SAVEPOINT p before the queries,
 * and behind each Sync and ROLLBACK TO p. Not at once, because it costs more than a small query does: PostgreSQL sends
 * what it has at each Sync, and the reader wakes up for it. Whether an id exists is asked for unless a record that is
 * read anyway says so (the student's own); where there is none among a composite's parts, a second exchange asks for
 * it: the record's SQL may leave some out. Reads that cannot share a query are planned "alone": each has queries of
 * its own, in the same exchange, parsed anew; a prepared statement keeps the parameter's type of when it was prepared,
 * and columns may have become wider since. */
#ifndef DATABASE_PG_PLAN_H
#define DATABASE_PG_PLAN_H

#include "base/arena.h"
#include "database/pg_rows.h"
#include "database/pg_sql.h"
#include "database/source_read.h"

/* What is known of a type. */
enum pg_state { PG_STATE_UNCACHEABLE = 1, PG_STATE_BINARY = 2 };

enum pg_role { PG_ROLE_PLAIN, PG_ROLE_HERE, PG_ROLE_QUERY, PG_ROLE_CHECK, PG_ROLE_STEADY, PG_ROLE_BEAT };

/* One query, and what came of it. */
struct pg_query {
        const struct pg_statement *statement;
        const struct record_type *type;       /* NULL: which ids exist */
        const struct record_subject *subject; /* what the ids are of */
        struct slice *ids;                    /* sorted, each once */
        size_t id_count;
        struct buf literal;
        const char *values[1];
        enum err status; /* OK: `rows` are there */
        char sqlstate[6];
        bool unbound; /* it failed because an id is out of the range of what it is compared with */
        struct pg_rows rows;
};

/* One read's id in one query. */
struct pg_ask {
        struct pg_query *query;
        size_t place; /* of the id among the query's */
};

/* One read and what it asks: each query once. */
struct pg_item {
        struct source_read *read;
        struct pg_ask *asks;
        uint32_t ask_count;
};

struct pg_plan_in {
        const struct pg_sql *sql;
        const struct record_types *types;
        const _Atomic uint8_t *states; /* by the types' index: enum pg_state, or'ed; others may set them meanwhile */
        bool alone;
        bool apart;     /* a query that fails leaves the others be */
        bool existence; /* is asked for whatever records would say */
        bool replica;
        bool bare;        /* the schema `vitalcache` is not there */
        bool session;     /* our settings go into the transaction */
        const char *node; /* NULL, or whose heartbeat is committed after the reads */
};

struct pg_plan {
        struct pg_plan_in in;
        struct arena arena;
        struct pg_item *items; /* in the order of their ids, and so are the ids of each query */
        uint32_t item_count;
        struct pg_query *queries;
        uint32_t query_count;
        uint32_t query_room;
        struct pg_ask *asks; /* the items' */
        uint32_t ask_count;
        struct pg_step *steps;
        struct pg_plan_part *parts; /* what each step is */
        uint32_t step_count;
        const char *beat_values[1];
        struct buf relations; /* that the queries may read, as an array literal */
        const char *steady_values[1];
};

struct pg_plan_part {
        enum pg_role role;
        uint32_t query; /* PG_ROLE_QUERY */
};

/* Plans the reads (struct source_read by `link`), which stay where they are; at least one. ERR_NOMEM, then *plan needs
 * no deinit. One owner; steps borrow from the plan. */
enum err pg_plan_init(struct pg_plan *plan, const struct pg_plan_in *in, const struct list *reads) MUST_CHECK;
void pg_plan_deinit(struct pg_plan *plan);

/* What is known of a type now. Pure. */
uint8_t pg_plan_state(const struct pg_plan *plan, const struct record_type *type);

/* The subject of a type's keys; never NULL. Pure. */
const struct record_subject *pg_subject_of(const struct record_types *types, const struct record_type *type);

/* What the item asks the query of that type, which is no composite; of the type NULL: whether its id exists. NULL: it
 * does not ask. Pure. */
const struct pg_ask *pg_plan_ask(const struct pg_item *item, const struct record_type *type);

/* The types that a read of `type` has queries of: itself, or its parts'. `index` from 0; NULL behind the last. Pure. */
const struct record_type *pg_leaf(const struct record_type *type, uint32_t index);

/* Whether the leaf's record is what its subject's existence is told by: a single record of the table that decides it,
 * unless somebody wrote another rule. Pure. */
bool pg_leaf_decides(const struct record_subject *subject, const struct record_type *leaf);

/* Begins and ends the steps of a transaction, for plans that are not of pg_plan_init: room for all steps must be there.
 * Pure. */
void pg_plan_open(struct pg_plan *plan);
void pg_plan_add(struct pg_plan *plan, enum pg_role role, struct pg_step step);
void pg_plan_close(struct pg_plan *plan);

#endif
