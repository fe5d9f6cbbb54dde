#include "database/upgrade.h"

#include "database/backup.h"
#include "database/lmdb_err.h"
#include "database/lmdb_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the backup ---- */

static enum err name_backup(const struct upgrade_plan *plan, struct upgrade_result *result, struct err_msg *msg)
{
        char folder[PATH_MAX];
        int len;

        if (plan->backup != NULL) {
                len = snprintf(result->backup, sizeof(result->backup), "%s", plan->backup);
        } else {
                if (realpath(plan->config->path, folder) == NULL)
                        return err_errno(msg, lmdb_err(errno), errno, "cannot find %s", plan->config->path);
                len = snprintf(result->backup, sizeof(result->backup), "%s.before-upgrade-%llu.backup", folder,
                        (unsigned long long)result->survey.position);
        }
        if (len < 0 || (size_t)len >= sizeof(result->backup))
                return err_set(msg, ERR_IO, "the path of the backup is too long");
        return OK;
}

static bool is_of(const struct lmdb_image_facts *image, const struct lmdb_upgrade_survey *survey)
{
        return image->position == survey->position && image->format == survey->format &&
               image->students == survey->students && image->records == survey->records;
}

/* Reads the backup to its end: it is whole, and it is of this database as it is now. */
static enum err verify(const struct upgrade_result *result, struct err_msg *msg)
{
        struct backup_input input = {.name = result->backup, .fd = open(result->backup, O_RDONLY | O_CLOEXEC)};
        struct backup_facts facts;
        enum err rc;

        if (input.fd < 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot read %s", result->backup);
        backup_facts_init(&facts);
        rc = backup_read(&input, -1, &facts, msg);
        if (rc == OK && !is_of(&facts.image, &result->survey))
                rc = err_set(msg, ERR_CORRUPT, "%s is not of this database as it is now", result->backup);
        backup_facts_deinit(&facts);
        (void)close(input.fd);
        return rc;
}

static enum err take_backup(const struct upgrade_plan *plan, struct upgrade_result *result, struct err_msg *msg)
{
        struct backup_facts facts;
        enum err rc = name_backup(plan, result, msg);

        if (rc != OK || verify(result, NULL) == OK) /* of an upgrade that was killed */
                return rc;
        backup_facts_init(&facts);
        rc = backup_save(plan->config->path, result->backup, plan->now, &facts, msg);
        backup_facts_deinit(&facts);
        return rc == OK ? verify(result, msg) : rc;
}

/* ---- the rest ---- */

static enum err compare(const struct upgrade_result *result, struct err_msg *msg)
{
        if (result->health.students == result->survey.students && result->health.records == result->survey.records)
                return OK;
        return err_set(msg, ERR_CORRUPT, "the upgraded copy has %llu students and %llu records, and not %llu and %llu",
                (unsigned long long)result->health.students, (unsigned long long)result->health.records,
                (unsigned long long)result->survey.students, (unsigned long long)result->survey.records);
}

static enum err upgrade(
        struct lmdb_swap *swap, const struct upgrade_plan *plan, struct upgrade_result *result, struct err_msg *msg)
{
        const struct lmdb_upgrade_plan copy = {
                .from = plan->config->path,
                .to = lmdb_swap_work(swap),
                .schema = &plan->config->schema,
                .survey = &result->survey,
                .watch = plan->watch,
                .step_bytes = plan->step_bytes,
        };
        enum err rc = lmdb_upgrade_copy(&copy, &result->copied, msg);

        if (rc == OK) {
                rc = lmdb_swap_check(swap, plan->config, &result->health, msg);
                if (rc != OK)
                        (void)err_wrap(msg, rc, "the upgraded copy");
        }
        if (rc == OK)
                rc = compare(result, msg);
        if (rc != OK)
                return rc;
        rc = lmdb_swap_finish(swap, NULL, msg);
        if (rc == ERR_LOCKED) /* for now */
                lmdb_swap_leave(swap);
        return rc;
}

enum err upgrade_run(const struct upgrade_plan *plan, struct upgrade_result *result, struct err_msg *msg)
{
        const struct lmdb_swap_config config = {.folder = plan->config->path, .work = "upgrade.tmp", .resume = true};
        struct lmdb_swap *swap;
        enum err rc = lmdb_swap_open(&swap, &config, msg);

        *result = (struct upgrade_result){.backup = ""};
        if (rc != OK)
                return rc;
        rc = lmdb_upgrade_look(plan->config->path, &plan->config->schema, &result->survey, msg);
        if (rc == OK && result->survey.needed && !plan->without_backup)
                rc = take_backup(plan, result, msg);
        if (rc != OK) /* the copy of a run that was killed may still be of use */
                lmdb_swap_leave(swap);
        else if (result->survey.needed)
                rc = upgrade(swap, plan, result, msg);
        lmdb_swap_close(&swap);
        return rc;
}
