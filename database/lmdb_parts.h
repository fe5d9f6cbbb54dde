/* Environments as LMDB has them: opened without knowing what is in them, and their sub-databases one after the other.
 * For copies and upgrades, which see other formats than this release's own. */
#ifndef DATABASE_LMDB_PARTS_H
#define DATABASE_LMDB_PARTS_H

#include "database/lmdb_err.h"

/* Opens the environment in `folder` with LMDB's `flags` (and MDB_NOTLS). `map_size` 0: as it is. Errors of LMDB;
 * ERR_NOTFOUND: there is none; *out is NULL then. */
enum err lmdb_parts_open(MDB_env **out, const char *folder, unsigned int flags, size_t map_size) MUST_CHECK;

/* Closes and nulls. NULL-safe. */
void lmdb_parts_close(MDB_env **mdb);

/* Calls `visit` for each sub-database, in the order of their names, until it fails. Errors of LMDB. */
typedef enum err (*lmdb_part_fn)(void *context, MDB_txn *txn, MDB_dbi part, const char *name);
enum err lmdb_parts_visit(MDB_txn *txn, lmdb_part_fn visit, void *context) MUST_CHECK;

#endif
