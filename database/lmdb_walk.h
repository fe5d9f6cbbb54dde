/* source_ops.walk: going through the records themselves. */
#ifndef DATABASE_LMDB_WALK_H
#define DATABASE_LMDB_WALK_H

#include "database/lmdb_env.h"
#include "database/original.h"

/* What is walked. */
struct lmdb_walk_in {
        struct lmdb_env *env;
        const struct original_codec *codec;
        const struct lmdb_schema *schema; /* records of an older one are shown in their present form */
};

/* As source_ops.walk, in short read transactions, none of them open during a visit. Also ERR_BADARG for a cursor that
 * cannot be one, ERR_NOMEM, ERR_CORRUPT for a record that cannot be read. Any thread. */
enum err lmdb_walk(const struct lmdb_walk_in *in, const struct source_walk *walk, struct err_msg *msg) MUST_CHECK;

#endif
