/* The sub-databases, and what the database says of itself in `meta`: the number of its format, the schema number that
 * each table was last written with, what its indexes were built from, how many students it has. */
#ifndef DATABASE_LMDB_META_H
#define DATABASE_LMDB_META_H

#include "database/lmdb_err.h"
#include "database/lmdb_source.h"

enum { LMDB_FORMAT = 2, LMDB_DB_COUNT = 5 };

struct lmdb_dbs {
        MDB_dbi meta;
        MDB_dbi records;
        MDB_dbi by_activity;
        MDB_dbi by_severity;
        MDB_dbi merged;
        uint64_t past; /* positions that passed before transaction 1 of this file: see lmdb_position() */
};

/* The position that a transaction's id stands for. LMDB counts the transactions of a compacted copy from 1 again, while
 * the records in it know positions of the file that it was copied from; so whoever puts a copy in place notes in it how
 * many there were (LMDB_META_PAST), and positions go on from there. */
static inline struct position lmdb_position(const struct lmdb_dbs *dbs, uint64_t transaction)
{
        return (struct position){dbs->past + transaction};
}

/* Opens the sub-databases, or makes them in an empty environment, and checks format and schema numbers: a table may
 * have been written with our schema number or the one before (release N reads N-1); from then on it is ours. In a
 * write transaction that is committed on OK. ERR_VERSION says which it is and which would be right. */
enum err lmdb_meta_open(
        MDB_txn *txn, const struct lmdb_schema *schema, struct lmdb_dbs *out, struct err_msg *msg) MUST_CHECK;

/* Whether a database of that format number can be opened. ERR_VERSION: it cannot, and what to do, as a command for the
 * database in `folder` that can be typed as it stands. */
enum err lmdb_meta_judge_format(uint64_t format, const char *folder, struct err_msg *msg) MUST_CHECK;

/* Calls `visit` with the name of every table that was ever written here, configured today or not, until it fails.
 * `visit` must not write to meta. */
typedef enum err (*lmdb_table_fn)(void *context, const char *name);
enum err lmdb_meta_tables(MDB_txn *txn, const struct lmdb_dbs *dbs, lmdb_table_fn visit, void *context) MUST_CHECK;

/* The schema number that a table was last written with; 0: it never was. */
enum err lmdb_meta_schema(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *table, uint64_t *out) MUST_CHECK;

/* Numbers by name; reading one that is not there gives 0. */
#define LMDB_META_FORMAT   "format"     /* LMDB_FORMAT of who made it */
#define LMDB_META_STUDENTS "students"   /* students recorded */
#define LMDB_META_RECORDS  "records"    /* records, the students' own among them */
#define LMDB_META_ERASURE  "erasure"    /* position of the newest erasure of a student */
#define LMDB_META_TOUCHES  "touches"    /* commits that only touched tags */
#define LMDB_META_INDEXES  "indexed as" /* fingerprint of what the indexes were built from */
#define LMDB_META_PAST     "past"       /* positions before this file's transaction ids; from its opening on */
#define LMDB_META_MADE_OF  "made of"    /* upgraded: fingerprint of the older database (database/lmdb_mark.h) */
#define LMDB_META_MADE_FOR "made for"   /* upgraded: fingerprint of the release and the record types */
enum err lmdb_meta_get(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *name, uint64_t *out) MUST_CHECK;
enum err lmdb_meta_put(MDB_txn *txn, const struct lmdb_dbs *dbs, const char *name, uint64_t number) MUST_CHECK;

#endif
