/* The embedded source: one LMDB environment in a folder, one writer thread with group commit (docs/FRESHNESS.md,
 * 3.1). */
#ifndef DATABASE_LMDB_SOURCE_H
#define DATABASE_LMDB_SOURCE_H

#include "database/source.h"

/* The tables that the configured record types read: what may be stored, and what of it is indexed. */
struct lmdb_schema {
        const struct record_table *const *tables;
        uint32_t table_count;
        const struct record_table *students; /* one of them: its records decide which students exist */
        enum id_kind student_ids;            /* the canonical form that students' ids are stored in */
        const struct record_table *merges;   /* one of them: its rows say who is the same person; NULL: none does */
};

struct lmdb_config {
        const char *path;          /* folder; made if absent (mode 0700) */
        uint64_t map_size;         /* bytes of address space at first; doubled when full */
        uint64_t map_size_max;     /* never grown past this */
        uint32_t max_readers;      /* reads under way at once, in all processes; more wait for one another */
        uint32_t batch_max;        /* the most writes of one commit */
        struct lmdb_schema schema; /* what it points to outlives the source */
        struct source_hooks hooks; /* functions may be NULL: nobody needs to know */
};

/* Opens or makes the environment and starts the writer thread. Takes the environment's exclusive lock for its life.
 * ERR_LOCKED (names the process that holds it), ERR_VERSION (which it is and which would be right), ERR_PERMISSION,
 * ERR_CORRUPT, ERR_DISK_FULL, ERR_IO, ERR_NOMEM; *out is NULL then and no lock or thread is left behind. */
enum err lmdb_source_open(struct source **out, const struct lmdb_config *config, struct err_msg *msg) MUST_CHECK;

#endif
