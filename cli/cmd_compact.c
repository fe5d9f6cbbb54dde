/* compact: the database written anew, without what was erased. */
#include "cli/config.h"
#include "cli/report.h"
#include "database/compact.h"

static enum cli_exit compact(struct cli *cli, const struct lmdb_config *config)
{
        struct nanos begun = clock_boot();
        struct compact_result done;
        struct report report;
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = compact_run(config, &done, &msg);

        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        report_init(&report);
        report_text(&report, "data", config->path);
        report_number(&report, "bytes_before", done.bytes_before);
        report_number(&report, "bytes_after", done.bytes_after);
        report_number(&report, "students", done.health.students);
        report_number(&report, "records", done.health.records);
        report_seconds(&report, "seconds", nanos_sub(clock_boot(), begun));
        result = report_show(&report, cli, cli->out);
        report_deinit(&report);
        return result;
}

enum cli_exit cmd_compact(struct cli *cli)
{
        return cli_config_run(cli, compact);
}
