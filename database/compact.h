/* The same database in a smaller file. Every record is checked before it is put in place. */
#ifndef DATABASE_COMPACT_H
#define DATABASE_COMPACT_H

#include "database/lmdb_source.h"
#include "database/source.h"

struct compact_result {
        uint64_t bytes_before; /* of the data file */
        uint64_t bytes_after;
        struct source_health health;
};

/* Writes the database in config->path anew without its free pages, and with them without what was erased, checks it,
 * and puts it in the old one's place. Takes room for both. On failure the old one stays. Errors as lmdb_swap_open,
 * lmdb_rebuild, lmdb_source_open. */
enum err compact_run(const struct lmdb_config *config, struct compact_result *result, struct err_msg *msg) MUST_CHECK;

#endif
