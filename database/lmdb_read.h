/* Answering reads from a read transaction: one record, a list of records, or a composite of parts. */
#ifndef DATABASE_LMDB_READ_H
#define DATABASE_LMDB_READ_H

#include "base/arena.h"
#include "database/lmdb_env.h"

struct lmdb_read_item; /* a record found, until the reply is written */

/* What all reads of one batch share. */
struct lmdb_read {
        MDB_txn *txn;
        const struct lmdb_dbs *dbs;
        const struct lmdb_schema *schema;
        struct lmdb_read_item *items; /* room used again from read to read */
        size_t capacity;
        struct buf made;     /* a record of an older schema, in its present form */
        struct arena copies; /* of such records, as long as the batch */
        bool has_merges;     /* an id may stand for another student's records */
};

/* Begins and ends a batch; it borrows all that it is given. */
void lmdb_read_init(struct lmdb_read *r, MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_schema *schema);
/* Frees the room. */
void lmdb_read_deinit(struct lmdb_read *r);

/* Sets status, found, value and snapshot of `read`. A record that cannot be read fails the whole read (ERR_CORRUPT): an
 * allergy is never left out in silence. The value is empty unless the status is OK and the student was found. The
 * transaction's thread; does not call `done`. */
void lmdb_read_answer(struct lmdb_read *r, struct source_read *read);

/* Whether the student is recorded. OK or ERR_NOTFOUND, or why it cannot be known. */
enum err lmdb_read_student(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct record_table *students,
        struct slice tenant, struct slice student) MUST_CHECK;

#endif
