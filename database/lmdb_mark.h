/* How far the copy of a database has come, noted in the copy itself, by the transaction that brought it there: a copy
 * that was killed, or lost its power, is gone on with behind its mark.
 *
 *      a copy on its way    its sub-database "copying" has the mark, and what else its maker needs to go on
 *      a whole one          has no such part, and says in `meta` what it was made of and for
 *
 * The transaction that writes the last entries also makes the one into the other: no copy is ever both or neither. */
#ifndef DATABASE_LMDB_MARK_H
#define DATABASE_LMDB_MARK_H

#include "database/lmdb_err.h"

#include <stdint.h>

enum { LMDB_MARK_PART_SIZE = 64, LMDB_MARK_KEY_MAX = 511 }; /* no key of LMDB's is longer */

/* Fingerprints: of the database that is copied, in the state that it is in, and of what it is to become. */
struct lmdb_mark_of {
        uint64_t source;
        uint64_t target;
};

struct lmdb_mark {
        struct lmdb_mark_of of;
        char part[LMDB_MARK_PART_SIZE]; /* the sub-database under way; "": none yet */
        size_t key_len;
        uint8_t key[LMDB_MARK_KEY_MAX]; /* of the last entry of it that was copied */
};

enum lmdb_mark_state {
        LMDB_MARK_NOTHING, /* there is no copy */
        LMDB_MARK_HALF,
        LMDB_MARK_WHOLE,  /* mark->of alone is set */
        LMDB_MARK_UNKNOWN /* there is something else, or it is damaged */
};

/* Looks at the copy in `folder`, which nobody uses and which is there. ERR_NOMEM. */
enum err lmdb_mark_look(const char *folder, enum lmdb_mark_state *state, struct lmdb_mark *mark) MUST_CHECK;

/* Opens the part that the mark is in, made when absent. Errors of LMDB: abort. */
enum err lmdb_mark_open(MDB_txn *out, MDB_dbi *place) MUST_CHECK;

/* Writes the mark. Errors of LMDB: abort. */
enum err lmdb_mark_put(MDB_txn *out, MDB_dbi place, const struct lmdb_mark *mark) MUST_CHECK;

/* Makes the copy a whole one. `meta` is there. Errors of LMDB: abort. */
enum err lmdb_mark_finish(MDB_txn *out, MDB_dbi place, const struct lmdb_mark_of *of) MUST_CHECK;

/* Bytes by name beside the mark, for who makes the copy. Errors of LMDB; lmdb_mark_get_bytes of what is not there:
 * ERR_NOTFOUND. *bytes is borrowed until the next write. */
enum err lmdb_mark_put_bytes(MDB_txn *out, MDB_dbi place, const char *name, struct slice bytes) MUST_CHECK;
enum err lmdb_mark_get_bytes(MDB_txn *txn, MDB_dbi place, const char *name, struct slice *bytes) MUST_CHECK;

#endif
