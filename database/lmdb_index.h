/* The indexes beside the records: by time of activity (newest first) and by status and severity (the highest ranks, so
 * active and worst, first). An index row is a key without a value; it is written and removed in the transaction that
 * writes or removes its record, so the two never disagree. */
#ifndef DATABASE_LMDB_INDEX_H
#define DATABASE_LMDB_INDEX_H

#include "database/lmdb_env.h"
#include "database/lmdb_key.h"

enum { LMDB_ACTIVITY_RANK = 8, LMDB_SEVERITY_RANK = 2 };

/* The index rows of one record. */
struct lmdb_index_rows {
        bool has_activity;
        bool has_severity;
        struct lmdb_key activity;
        struct lmdb_key severity;
};

/* What a record is indexed as. `parts` are of its key (rank unused; ids or their stored form alike), `map` is the
 * record. Pure. */
void lmdb_index_rows_of(const struct record_table *table, const struct lmdb_key_parts *parts, struct slice map,
        struct lmdb_index_rows *out);

/* Replaces the rows `old` by `fresh`; either may be NULL: none. Errors of LMDB: the transaction must be aborted. */
enum err lmdb_index_replace(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_index_rows *old,
        const struct lmdb_index_rows *fresh) MUST_CHECK;

/* The configured table of that name; NULL when there is none. */
const struct record_table *lmdb_schema_table(const struct lmdb_schema *schema, struct slice name);

/* Builds both indexes again from the records if the configuration indexes other fields or ranks other words than those
 * they were built from. For set-up, before the writer runs. */
enum err lmdb_index_ensure(struct lmdb_env *env, const struct lmdb_schema *schema, struct err_msg *msg) MUST_CHECK;

/* source_ops.scan: in short read transactions of LMDB_SCAN_CHUNK rows each, none of them open during a visit. */
enum { LMDB_SCAN_CHUNK = 256 };
enum err lmdb_index_scan(struct lmdb_env *env, const struct source_scan *scan, struct err_msg *msg) MUST_CHECK;

#endif
