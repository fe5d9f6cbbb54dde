/* One write transaction under way: the changes of the writes in it, and the tags that they touch.
 *
 * A write is refused (CONFLICT, NOSTUDENT…) before it has changed anything, so the transaction goes on with the others.
 * When a change itself fails, the transaction must be aborted. */
#ifndef DATABASE_LMDB_CHANGE_H
#define DATABASE_LMDB_CHANGE_H

#include "database/lmdb_merge.h"
#include "database/lmdb_run.h"

struct lmdb_change {
        struct lmdb_store store;
        uint64_t tag_seed;
        bool changed;   /* there is something to commit */
        uint64_t *tags; /* hashes of the tags touched; room used again from one transaction to the next */
        size_t tag_count;
        size_t tag_capacity;
        struct buf merged; /* ids merged into the student at hand; room used again */
};

/* Begins with a fresh transaction, keeping the room for tags (a zeroed struct with a store's dbs and schema has none
 * yet). Errors of LMDB: abort. */
enum err lmdb_change_begin(struct lmdb_change *change, MDB_txn *txn) MUST_CHECK;
void lmdb_change_deinit(struct lmdb_change *change);

/* Carries out one write. OK: done, or refused, and write->status says which (with message, and position on CONFLICT).
 * Else: the code of the failure, the particulars in write->message; the transaction must be aborted. Counts written,
 * unchanged and rejected, and fills touched and rejects, anew. The writer's thread. */
enum err lmdb_change_apply(
        struct lmdb_change *change, struct source_write *write, const struct lmdb_rows *rows) MUST_CHECK;

/* What is left to write before the commit. Errors of LMDB: abort. */
enum err lmdb_change_finish(struct lmdb_change *change) MUST_CHECK;

/* Puts away what belongs to the transaction: before its commit or abort. */
void lmdb_change_end(struct lmdb_change *change);

/* For the parts of lmdb_change_apply(). */

/* The tag of this student's records of the table is touched, and so are those of all ids that were merged into it: what
 * is cached of them shows the same records. */
enum err lmdb_change_tag(
        struct lmdb_change *change, struct slice tenant, const char *table, struct slice student) MUST_CHECK;

/* The same, of a write that changed these records and says so. */
enum err lmdb_change_touch(
        struct lmdb_change *change, struct source_write *write, const char *table, struct slice student) MUST_CHECK;

/* Whose records the id stands for: as lmdb_merge_root(), and at no cost when nobody is merged. */
enum err lmdb_change_root(
        struct lmdb_change *change, struct slice tenant, struct slice student, struct lmdb_merge_id *root) MUST_CHECK;

/* What becomes of one row. */
struct lmdb_verdict {
        bool changed;
        bool rejected;
        struct reject reject; /* why */
};

/* One row of an IMPORT into the table merges (database/lmdb_change_merge.c). */
enum err lmdb_change_merge(struct lmdb_change *change, struct source_write *write, const struct lmdb_row *row,
        struct lmdb_verdict *verdict) MUST_CHECK;

/* IMPORT and ERASE_ROWS. */
enum err lmdb_change_rows(
        struct lmdb_change *change, struct source_write *write, const struct lmdb_rows *rows) MUST_CHECK;

#endif
