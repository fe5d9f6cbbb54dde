/* restore: a backup into a folder that a server can be started on. */
#include "cli/config.h"
#include "cli/report.h"
#include "database/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static enum cli_exit show(struct cli *cli, const struct restore_plan *plan, const struct restore_result *done)
{
        char next[PATH_MAX + 128];
        struct report report;
        enum cli_exit result;

        report_init(&report);
        report_text(&report, "data", plan->config->path);
        report_number(&report, "students", done->facts.image.students);
        report_number(&report, "records", done->facts.image.records);
        report_number(&report, "position", done->facts.image.position);
        report_text(&report, "backup_time", done->facts.time);
        report_text(&report, "backup_release", done->facts.release);
        report_flag(&report, "checked", done->checked);
        if (!done->checked) {
                (void)snprintf(next, sizeof(next),
                        "of an older format; run: vitalcache upgrade --data %s (it checks the records as well)",
                        plan->config->path);
                report_text(&report, "next", next);
        }
        if (done->aside[0] != '\0')
                report_text(&report, "put_aside", done->aside);
        result = report_show(&report, cli, cli->out);
        report_deinit(&report);
        return result;
}

static enum cli_exit restore(struct cli *cli, const struct restore_plan *plan)
{
        struct restore_result result;
        struct err_msg msg;
        enum cli_exit code;
        enum err rc;

        restore_result_init(&result);
        rc = restore_run(plan, &result, &msg);
        code = rc == OK ? show(cli, plan, &result) : cli_fail(cli, rc, &msg);
        restore_result_deinit(&result);
        return code;
}

static enum cli_exit restore_file(struct cli *cli, const struct lmdb_config *config)
{
        const char *file = cli->args.words[0];
        bool piped = strcmp(file, "-") == 0;
        struct restore_plan plan = {
                .input = {.name = piped ? "standard input" : file, .fd = piped ? fileno(cli->in) : -1},
                .config = config,
                .replace = cli->args.flags[FLAG_replace] != NULL,
                .now = clock_wall(),
        };
        struct err_msg msg;
        enum cli_exit result;

        if (!piped)
                plan.input.fd = open(file, O_RDONLY | O_CLOEXEC);
        if (plan.input.fd < 0) {
                (void)err_errno(&msg, ERR_IO, errno, "cannot open %s", file);
                return cli_fail(cli, ERR_IO, &msg);
        }
        result = restore(cli, &plan);
        if (!piped)
                (void)close(plan.input.fd);
        return result;
}

enum cli_exit cmd_restore(struct cli *cli)
{
        return cli_config_run(cli, restore_file);
}
