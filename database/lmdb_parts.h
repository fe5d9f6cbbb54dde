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

/* The file may end before the last page that the database counts as its own: LMDB does not write pages that were
 * allocated and freed in one transaction, but a file that was cut off looks the same. Reading past its end would be a
 * SIGBUS, so this makes it long enough, with a hole: LMDB takes pages of zeros for damage, and a deep check finds out
 * whether any of them is in use. *was_short: it was. The environment is open for writing. ERR_IO, ERR_DISK_FULL. */
enum err lmdb_parts_mend_length(MDB_env *mdb, bool *was_short, struct err_msg *msg) MUST_CHECK;

/* Calls `visit` for each sub-database, in the order of their names, until it fails. Errors of LMDB. */
typedef enum err (*lmdb_part_fn)(void *context, MDB_txn *txn, MDB_dbi part, const char *name);
enum err lmdb_parts_visit(MDB_txn *txn, lmdb_part_fn visit, void *context) MUST_CHECK;

#endif
