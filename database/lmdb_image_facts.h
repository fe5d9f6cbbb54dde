/* Private to images: what a database says of itself. */
#ifndef DATABASE_LMDB_IMAGE_FACTS_H
#define DATABASE_LMDB_IMAGE_FACTS_H

#include "database/lmdb_err.h"
#include "database/lmdb_image.h"

/* Reads it, of this format or any before it: `meta` has stayed as it was. ERR_VERSION: it is none of ours. ERR_CORRUPT;
 * errors of LMDB and buf_append. */
enum err lmdb_image_facts_read(MDB_txn *txn, struct lmdb_image_facts *out) MUST_CHECK;

#endif
