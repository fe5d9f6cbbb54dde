/* From a backup to a database. Every record is checked before anything is put in place. */
#ifndef DATABASE_RESTORE_H
#define DATABASE_RESTORE_H

#include "database/backup.h"
#include "database/lmdb_source.h"
#include "database/source.h"

#include <limits.h>

struct restore_plan {
        struct backup_input input;
        const struct lmdb_config *config; /* its path is where the database goes */
        bool replace;                     /* one that is there is put aside */
        struct wall now;                  /* names what is put aside */
};

struct restore_result {
        struct backup_facts facts;
        struct source_health health; /* when checked */
        bool checked;                /* false: of an older format, which only an upgrade can read */
        char aside[PATH_MAX];        /* where the database is that was there; "": there was none */
};

/* Nothing known yet; deinit it in any case. */
void restore_result_init(struct restore_result *result);
/* Frees it. */
void restore_result_deinit(struct restore_result *result);

/* Reads the backup into the folder plan->config->path, which may be absent. On failure the folder is as it was. Errors
 * as backup_read, lmdb_swap_open, lmdb_source_open; ERR_BADARG: it has a database and `replace` is not set. */
enum err restore_run(const struct restore_plan *plan, struct restore_result *result, struct err_msg *msg) MUST_CHECK;

#endif
