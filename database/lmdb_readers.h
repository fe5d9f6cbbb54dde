/* Read transactions of the environment, used again and again.
 *
 * A read transaction holds a slot of LMDB's reader table for life, and there are only so many. So they belong to no
 * thread: they lie reset in a pool (a reset one pins no page, however long it lies), a read takes one and renews it,
 * and when all are out the read waits for the next to come back. The number of threads has no limit. */
#ifndef DATABASE_LMDB_READERS_H
#define DATABASE_LMDB_READERS_H

#include "database/lmdb_err.h"

struct lmdb_readers;

/* A pool over `env` (open, with MDB_NOTLS) of at most `max` transactions. ERR_NOMEM; *out is NULL then. */
enum err lmdb_readers_create(struct lmdb_readers **out, MDB_env *env, uint32_t max) MUST_CHECK;

/* Ends the transactions, frees, nulls. All must have been given back. NULL-safe. */
void lmdb_readers_destroy(struct lmdb_readers **readers);

/* A transaction on the newest snapshot; lmdb_readers_give() ends it. May wait for another read to end. Errors of LMDB;
 * *out is NULL then. Any thread. */
enum err lmdb_readers_take(struct lmdb_readers *readers, MDB_txn **out) MUST_CHECK;

/* Ends the read and nulls *txn. Any thread. */
void lmdb_readers_give(struct lmdb_readers *readers, MDB_txn **txn);

#endif
