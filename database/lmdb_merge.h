/* Who is the same person as whom: which student's records a student's id stands for.
 *
 *      merged     tenant | "into" | student            the id of the one that it was merged into, itself not merged
 *                 tenant | "from" | student | other    the id of an `other` that was merged into the student
 *
 * Both are made from the rows of the table `merges` as they are written, with chains resolved: so a read takes one
 * look-up, and a touch one short walk. The environment knows whether there is any (lmdb_env_has_merges()); without,
 * none of this is asked. */
#ifndef DATABASE_LMDB_MERGE_H
#define DATABASE_LMDB_MERGE_H

#include "base/buf.h"
#include "database/lmdb_meta.h"
#include "database/record_type.h"

/* An id, kept. */
struct lmdb_merge_id {
        size_t len;
        uint8_t bytes[RECORD_ID_MAX];
};

static inline struct slice lmdb_merge_slice(const struct lmdb_merge_id *id)
{
        return slice_of(id->bytes, id->len);
}

/* The student whose records `student` stands for, copied into *room: another one, or `student` itself. Errors of LMDB,
 * ERR_CORRUPT. The transaction's thread. */
enum err lmdb_merge_root(MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student,
        struct lmdb_merge_id *room) MUST_CHECK;

/* Appends the ids that were merged into `student`, to be taken off by source_touched_next(). Errors of LMDB and of
 * buf_append, ERR_CORRUPT. The transaction's thread. */
enum err lmdb_merge_list(MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student,
        struct buf *out) MUST_CHECK;

/* Notes that `student` is `into`, which is not merged itself, whomever it may have been before. Errors of LMDB: abort
 * the transaction. The writer's thread. */
enum err lmdb_merge_note(MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student,
        struct slice into) MUST_CHECK;

/* Whether an entry of `merged` fits the others: it has its counterpart, and whom it leads to is not merged itself.
 * Errors of LMDB. The transaction's thread. */
enum err lmdb_merge_fits(
        MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice key, struct slice id, bool *fits) MUST_CHECK;

/* Forgets whom `student` was merged into; no error when it was not. As lmdb_merge_note. */
enum err lmdb_merge_forget(
        MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student) MUST_CHECK;

#endif
