/* upgrade: the database of an older release, made this release's own. */
#include "cli/config.h"
#include "cli/report.h"
#include "database/lmdb_meta.h"
#include "database/upgrade.h"

static enum cli_exit show(struct cli *cli, const char *folder, const struct upgrade_result *done, struct nanos took)
{
        struct report report;
        enum cli_exit result;

        report_init(&report);
        report_text(&report, "data", folder);
        report_flag(&report, "upgraded", done->survey.needed);
        report_number(&report, "format_before", done->survey.format);
        report_number(&report, "format", LMDB_FORMAT);
        report_number(&report, "students", done->survey.students);
        report_number(&report, "records", done->survey.records);
        report_number(&report, "records_rewritten", done->survey.older);
        if (done->survey.needed)
                report_number(&report, "records_copied", done->copied.now);
        if (done->copied.before > 0)
                report_number(&report, "records_copied_before", done->copied.before);
        if (done->backup[0] != '\0')
                report_text(&report, "backup", done->backup);
        report_seconds(&report, "seconds", took);
        if (!done->survey.needed)
                report_text(&report, "next", "there was nothing to do");
        result = report_show(&report, cli, cli->out);
        report_deinit(&report);
        return result;
}

/* ---- while it runs ---- */

struct telling {
        struct cli *cli;
        bool drawn; /* a line stands on the terminal that has no end yet */
};

static void goes_on(void *context, uint64_t records)
{
        const struct telling *telling = context;

        fprintf(telling->cli->err,
                "vitalcache: going on behind the %llu records that an upgrade which was killed has copied\n",
                (unsigned long long)records);
}

static void begins_anew(void *context, const char *why)
{
        const struct telling *telling = context;

        fprintf(telling->cli->err,
                "vitalcache: removed the copy that an upgrade which was killed has left: %s; beginning it anew\n", why);
}

static void copied(void *context, uint64_t records)
{
        struct telling *telling = context;

        telling->drawn = telling->cli->progress;
        if (telling->drawn)
                fprintf(telling->cli->err, "\r%llu records copied", (unsigned long long)records);
}

static enum cli_exit upgrade(struct cli *cli, const struct lmdb_config *config)
{
        struct telling telling = {.cli = cli};
        const struct lmdb_upgrade_watch watch = {goes_on, begins_anew, copied, &telling};
        const struct upgrade_plan plan = {
                .config = config,
                .backup = cli->args.flags[FLAG_backup],
                .without_backup = cli->args.flags[FLAG_no_backup] != NULL,
                .now = clock_wall(),
                .watch = &watch,
        };
        struct nanos begun = clock_boot();
        struct upgrade_result result;
        struct err_msg msg;
        enum err rc;

        if (plan.backup != NULL && plan.without_backup)
                rc = err_set(&msg, ERR_SYNTAX, "--backup and --no-backup do not go together");
        else
                rc = upgrade_run(&plan, &result, &msg);
        if (telling.drawn)
                fputc('\n', cli->err);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        return show(cli, config->path, &result, nanos_sub(clock_boot(), begun));
}

enum cli_exit cmd_upgrade(struct cli *cli)
{
        return cli_config_run(cli, upgrade);
}
