/* From the database of an older release to one of this release: looked at, backed up, written anew, checked, and only
 * then put in place. */
#ifndef DATABASE_UPGRADE_H
#define DATABASE_UPGRADE_H

#include "database/lmdb_source.h"
#include "database/lmdb_upgrade.h"

#include <limits.h>

struct upgrade_plan {
        const struct lmdb_config *config;
        const char *backup; /* where the backup goes; NULL: beside the folder, by its name and position */
        bool without_backup;
        struct wall now;
        const struct lmdb_upgrade_watch *watch; /* NULL: nobody */
        size_t step_bytes;                      /* as lmdb_upgrade_plan's */
};

struct upgrade_result {
        struct lmdb_upgrade_survey survey; /* of what there was; nothing was done unless it was needed */
        char backup[PATH_MAX];             /* "": none was taken */
        struct lmdb_upgrade_copied copied;
        struct source_health health; /* of what there is now */
};

/* Upgrades the database in plan->config->path. The backup is read again before anything else is done. What an upgrade
 * that was killed has left, its backup and its copy, is used, and gone on with. Takes room for both databases beside
 * the backup. On failure, and when it is killed, the old database is in place. ERR_VERSION: it cannot be done, and what
 * would be right; errors as lmdb_swap_open, backup_save, lmdb_upgrade_copy, lmdb_swap_check. */
enum err upgrade_run(const struct upgrade_plan *plan, struct upgrade_result *result, struct err_msg *msg) MUST_CHECK;

#endif
