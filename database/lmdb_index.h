/* The indexes beside the records: by time of activity (newest first) and by status and severity (the highest ranks, so
 * active and worst, first). An index row is a key without a value. There is one for each student of a table, by the
 * record of the student that comes first, and not one for each record: most records come after others of their student
 * and leave the index as it is, which is what makes importing them quick.
 *
 * Which rank a student has stands in the head of its records (database/lmdb_head.h), so that a record that is added
 * moves the index row without a look at the other records. Both are written in the transaction that writes the record,
 * so they never disagree. */
#ifndef DATABASE_LMDB_INDEX_H
#define DATABASE_LMDB_INDEX_H

#include "database/lmdb_env.h"
#include "database/lmdb_key.h"
#include "database/lmdb_record.h"

enum { LMDB_ACTIVITY_RANK = 8, LMDB_SEVERITY_RANK = 2 };

/* Places in the two indexes, as they stand in keys: lower bytes come first. All 0xff: in that index it is not. */
struct lmdb_ranks {
        uint8_t activity[LMDB_ACTIVITY_RANK];
        uint8_t severity[LMDB_SEVERITY_RANK];
};

#define LMDB_NO_RANKS                                                                                                  \
        ((struct lmdb_ranks){                                                                                          \
                .activity = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},                                          \
                .severity = {0xff, 0xff},                                                                              \
        })

/* The ranks of a record in the table's present form. Pure. */
struct lmdb_ranks lmdb_ranks_of(const struct record_table *table, struct slice map);

/* The ranks of a stored record, of whatever schema; `table` NULL: not configured any more, so none. Errors as
 * lmdb_present_map(). */
enum err lmdb_ranks_stored(
        const struct record_table *table, const struct lmdb_record *record, struct lmdb_ranks *out) MUST_CHECK;

/* The ranks of the student whose ranks were `ranks` and who now has a record of the ranks `more`. Pure. */
struct lmdb_ranks lmdb_ranks_with(const struct lmdb_ranks *ranks, const struct lmdb_ranks *more);

/* Whether the student's ranks may be lower without a record of the ranks `less`. Pure. */
bool lmdb_ranks_rest_on(const struct lmdb_ranks *ranks, const struct lmdb_ranks *less);

/* Whose index rows: a student in a table. Ids or their stored form alike. */
struct lmdb_index_place {
        struct slice tenant;
        const char *table;
        struct slice student;
};

/* Replaces the index rows of the ranks `old` by those of `fresh`. Errors of LMDB: abort the transaction. */
enum err lmdb_index_replace(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_index_place *place,
        const struct lmdb_ranks *old, const struct lmdb_ranks *fresh) MUST_CHECK;

/* Calls `visit` with each index row that a student of these ranks has, until it fails. */
typedef enum err (*lmdb_index_row_fn)(void *context, MDB_dbi dbi, const struct lmdb_key *row);
enum err lmdb_index_rows(const struct lmdb_dbs *dbs, const struct lmdb_index_place *place,
        const struct lmdb_ranks *ranks, lmdb_index_row_fn visit, void *context) MUST_CHECK;

/* The configured table of that name; NULL when there is none. */
const struct record_table *lmdb_schema_table(const struct lmdb_schema *schema, struct slice name);

/* Builds both indexes again from the records if the configuration indexes other fields or ranks other words than those
 * they were built from. For set-up, before the writer runs. */
enum err lmdb_index_ensure(struct lmdb_env *env, const struct lmdb_schema *schema, struct err_msg *msg) MUST_CHECK;

/* Changes whenever index rows of the same records would be others. Pure. */
uint64_t lmdb_index_print(const struct lmdb_schema *schema);

/* Notes that both indexes are as the configuration wants them. Errors of LMDB. */
enum err lmdb_index_note(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_schema *schema) MUST_CHECK;

/* source_ops.scan: in short read transactions of LMDB_SCAN_CHUNK rows each, none of them open during a visit. */
enum { LMDB_SCAN_CHUNK = 256 };
enum err lmdb_index_scan(struct lmdb_env *env, const struct lmdb_schema *schema, const struct source_scan *scan,
        struct err_msg *msg) MUST_CHECK;

#endif
