/* Writing and erasing single records within a write transaction, their index rows with them. It knows nothing of
 * conditions, versions and tags: those are database/lmdb_change.h's. */
#ifndef DATABASE_LMDB_STORE_H
#define DATABASE_LMDB_STORE_H

#include "database/lmdb_meta.h"
#include "database/lmdb_rows.h"

struct lmdb_store {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        struct position position; /* of the commit, if there will be one */
        bool dry_run;             /* of the write under way: say what would be, and write nothing */
};

/* Where records are written: the tenant's table. */
struct lmdb_place {
        const struct record_table *table;
        struct slice tenant;
        struct err_msg *msg;
};

enum lmdb_outcome { LMDB_UNCHANGED, LMDB_CHANGED, LMDB_CREATED };

/* Writes one record if it is not there already, equal. ERR_BADKEY (with a message) when it would take the place of one
 * whose long id has the same hash; errors of LMDB. Abort the transaction on any. The writer's thread. */
enum err lmdb_store_put(const struct lmdb_store *store, const struct lmdb_place *place, const struct lmdb_row *row,
        enum lmdb_outcome *outcome) MUST_CHECK;

/* Erases the row's record; *erased says whether there was one. Errors as lmdb_store_put(). */
enum err lmdb_store_erase_row(const struct lmdb_store *store, const struct lmdb_place *place,
        const struct lmdb_row *row, bool *erased) MUST_CHECK;

/* A student's records of one table, or those of them that meet a condition. */
struct lmdb_run {
        struct slice tenant;
        struct slice student;
        const char *name;
        const struct record_table *table;     /* NULL: no longer configured, so not indexed */
        const struct lmdb_rows *keep;         /* those with a row in it stay; NULL: none */
        const struct record_condition *where; /* NULL: all */
};

/* Erases a run's records but those to be kept, and adds their number to *erased. Errors of LMDB, ERR_CORRUPT: abort the
 * transaction. The writer's thread. */
enum err lmdb_store_erase(const struct lmdb_store *store, const struct lmdb_run *run, uint64_t *erased) MUST_CHECK;

/* Whether the run has any record. Errors of LMDB. */
enum err lmdb_store_any(const struct lmdb_store *store, const struct lmdb_run *run, bool *out) MUST_CHECK;

/* Whether a row of run->keep would take the place of a record that is there and does not meet run->where. Errors of
 * LMDB. */
enum err lmdb_store_hides(const struct lmdb_store *store, const struct lmdb_run *run, bool *out) MUST_CHECK;

#endif
