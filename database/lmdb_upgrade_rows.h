/* Private to upgrades: what becomes of single entries on their way into the new database. */
#ifndef DATABASE_LMDB_UPGRADE_ROWS_H
#define DATABASE_LMDB_UPGRADE_ROWS_H

#include "base/buf.h"
#include "database/lmdb_head.h"
#include "database/lmdb_rebuild.h"

struct lmdb_upgrade_rows {
        const struct lmdb_schema *schema;
        struct lmdb_dbs dbs; /* of the new database; format 1 only */
        struct buf map;      /* room for a record's present form */
        struct buf stored;   /* room for a record as it is stored */
        uint64_t students;   /* format 1 only */
        uint64_t records;    /* written so far, in earlier runs too */
        /* the records of one student in one table, of which the walk has seen some; format 1 only */
        struct lmdb_key run; /* the key of their head; of no bytes before the first */
        struct lmdb_head head;
        const struct record_table *table;
};

/* No entries yet; deinit it in any case. */
void lmdb_upgrade_rows_init(struct lmdb_upgrade_rows *rows, const struct lmdb_schema *schema);
/* Frees the rooms. */
void lmdb_upgrade_rows_deinit(struct lmdb_upgrade_rows *rows);

/* Whether the stored entry of this format is a record of an older schema than its table's. Pure. */
bool lmdb_upgrade_rows_older(const struct lmdb_schema *schema, struct slice key, struct slice value);

/* lmdb_rebuild_hooks.entry for a database of this format; `context` is the rows. */
enum err lmdb_upgrade_rows_present(void *context, MDB_txn *out, const struct lmdb_rebuild_entry *entry) MUST_CHECK;

/* The same for one of format 1, of which only records and `meta` are wanted: heads and index rows are made. */
enum err lmdb_upgrade_rows_format1(void *context, MDB_txn *out, const struct lmdb_rebuild_entry *entry) MUST_CHECK;

/* Notes where it stands, beside the copy's mark; and goes on from there. Errors of LMDB; ERR_CORRUPT. */
enum err lmdb_upgrade_rows_save(const struct lmdb_upgrade_rows *rows, MDB_txn *out, MDB_dbi place) MUST_CHECK;
enum err lmdb_upgrade_rows_resume(struct lmdb_upgrade_rows *rows, MDB_txn *out, MDB_dbi place) MUST_CHECK;

/* Writes the head of the last records. Errors of LMDB. */
enum err lmdb_upgrade_rows_finish(struct lmdb_upgrade_rows *rows, MDB_txn *out) MUST_CHECK;

#endif
