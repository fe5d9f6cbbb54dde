/* The embedded source: one LMDB environment in a folder, one writer thread with group commit (docs/FRESHNESS.md, 3.1). */
#ifndef DATABASE_LMDB_SOURCE_H
#define DATABASE_LMDB_SOURCE_H

#include "database/source.h"

struct lmdb_config {
        const char *path;        /* folder; made if absent (mode 0700) */
        uint64_t map_size;       /* bytes of address space at first; grown when full */
        uint64_t map_size_max;   /* never grown past this */
        uint32_t max_readers;
        uint32_t batch_max;      /* the most writes of one commit */
        const struct record_types *types;
        struct source_hooks hooks;
};

/* Opens or makes the environment and starts the writer thread. Takes the environment's exclusive lock for its life.
 * ERR_LOCKED (names the process that holds it), ERR_VERSION (which it is and which would be right), ERR_PERMISSION,
 * ERR_CORRUPT, ERR_DISK_FULL, ERR_IO, ERR_NOMEM; *out is NULL then and nothing is left behind. */
enum err lmdb_source_open(struct source **out, const struct lmdb_config *config, struct err_msg *msg) MUST_CHECK;

#endif
