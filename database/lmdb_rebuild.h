/* A database written anew, entry by entry, into pages that never held anything else.
 *
 * LMDB's own compacting copy (database/lmdb_image.h) leaves out free pages, but copies the last page of a long value
 * whole, and what lies behind the value there may be left from a record that was erased. Here nothing is copied but
 * what the database has. It takes somewhat longer, and the folder's lock. */
#ifndef DATABASE_LMDB_REBUILD_H
#define DATABASE_LMDB_REBUILD_H

#include "base/err.h"

/* Writes the database of the folder `from`, which nobody may be writing, into `to`, a folder without one, and makes it
 * durable; its positions go on. ERR_NOTFOUND, ERR_VERSION, ERR_CORRUPT, ERR_DISK_FULL, ERR_MAP_FULL, ERR_IO,
 * ERR_NOMEM; what is in `to` is of no use then. One thread. */
enum err lmdb_rebuild(const char *from, const char *to, struct err_msg *msg) MUST_CHECK;

#endif
