/* Erasure from LMDB's own memory. */
#ifndef DATABASE_LMDB_WIPE_H
#define DATABASE_LMDB_WIPE_H

#include "database/lmdb_env.h"

/* Overwrites the page buffers that LMDB keeps for its next write transactions, with parts of records in them that may
 * have been erased since. The file is not touched. The writer's thread, with no transaction of its own. ERR_MAP_FULL:
 * the map had too little room for as many pages, so that some were left as they were; errors of lmdb_err() likewise. */
enum err lmdb_wipe(struct lmdb_env *env) MUST_CHECK;

#endif
