/* The write transaction under way, as all that change records share it: its cursors, and what it does to the counts.
 *
 * Cursors stay open from one record to the next. LMDB looks for a key on the page that its cursor stands on before it
 * searches from the root, and rows come in the order of their keys: so most of them cost no search. */
#ifndef DATABASE_LMDB_STORE_H
#define DATABASE_LMDB_STORE_H

#include "database/lmdb_meta.h"

struct lmdb_store {
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
        MDB_txn *txn;
        MDB_cursor *records;      /* where records are read and written */
        MDB_cursor *known;        /* where students are looked up */
        struct position position; /* of the commit, if there will be one */
        bool dry_run;             /* of the write under way: say what would be, and write nothing */
        bool has_merges;          /* students may be merged into others; set by who begins */
        int64_t students_added;
        int64_t records_added;
};

/* Begins with a fresh transaction; dbs, schema and has_merges are set. Errors of LMDB: abort. The writer's thread. */
enum err lmdb_store_begin(struct lmdb_store *store, MDB_txn *txn) MUST_CHECK;

/* Writes the counts. Errors of LMDB: abort. The writer's thread. */
enum err lmdb_store_finish(struct lmdb_store *store) MUST_CHECK;

/* Closes the cursors, before the commit or abort. */
void lmdb_store_end(struct lmdb_store *store);

/* Whether the student is recorded. Errors of LMDB, ERR_CORRUPT: abort. The writer's thread. */
enum err lmdb_store_knows(
        const struct lmdb_store *store, struct slice tenant, struct slice student, bool *known) MUST_CHECK;

#endif
