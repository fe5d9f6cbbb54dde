/* export: the records of a running server as lines of JSON, which import takes. */
#include "cli/cli.h"
#include "cli/export_run.h"
#include "cli/report.h"
#include "database/new_file.h"

#include <errno.h>
#include <unistd.h>

static enum cli_exit show(struct cli *cli, const char *file, const struct export_counts *counts, struct nanos took)
{
        struct report report;
        enum cli_exit result;

        report_init(&report);
        if (file != NULL)
                report_text(&report, "file", file);
        report_number(&report, "records", counts->records);
        if (cli->args.flags[FLAG_originals] != NULL)
                report_number(&report, "without_original", counts->without_original);
        report_number(&report, "bytes", counts->bytes);
        report_seconds(&report, "seconds", took);
        result = report_show(&report, cli, file == NULL ? cli->err : cli->out);
        report_deinit(&report);
        return result;
}

struct telling {
        struct cli *cli;
        struct import_progress *progress;
};

static void left_out(void *context, const char *table, uint64_t records)
{
        const struct telling *telling = context;

        import_progress_end(telling->progress);
        fprintf(telling->cli->err,
                "vitalcache: the table %s is not exported, as it is configured no more; its records: %llu\n", table,
                (unsigned long long)records);
}

static enum err export_to(struct cli *cli, FILE *out, struct export_counts *counts, struct err_msg *msg)
{
        struct import_progress progress = {.style = cli->progress ? PROGRESS_BAR : PROGRESS_NONE, .out = cli->err};
        struct telling telling = {cli, &progress};
        const struct export_plan plan = {
                .conn = cli->conn,
                .tables = cli->args.flags[FLAG_table],
                .student = cli->args.flags[FLAG_student],
                .originals = cli->args.flags[FLAG_originals] != NULL,
                .out = out,
                .progress = &progress,
                .left_out = left_out,
                .context = &telling,
        };
        enum err rc;

        import_progress_start(&progress, clock_boot());
        rc = export_run(&plan, counts, msg);
        import_progress_end(&progress);
        return rc;
}

static enum err export_to_file(struct cli *cli, const char *path, struct export_counts *counts, struct err_msg *msg)
{
        struct new_file file;
        FILE *out = NULL;
        enum err rc = new_file_begin(&file, path, msg);

        if (rc == OK) {
                out = fdopen(dup(file.fd), "w");
                if (out == NULL)
                        rc = err_errno(msg, ERR_IO, errno, "cannot write %s", file.part);
        }
        if (rc == OK)
                rc = export_to(cli, out, counts, msg);
        if (out != NULL)
                (void)fclose(out);
        if (rc == OK)
                rc = new_file_finish(&file, msg);
        new_file_end(&file);
        return rc;
}

enum cli_exit cmd_export(struct cli *cli)
{
        const char *file = cli->args.word_count > 0 ? cli->args.words[0] : "-";
        bool streamed = strcmp(file, "-") == 0;
        struct nanos begun = clock_boot();
        struct export_counts counts;
        struct err_msg msg;
        enum cli_exit result = cli_connect(cli);
        enum err rc;

        if (result != EXIT_OK)
                return result;
        rc = streamed ? export_to(cli, cli->out, &counts, &msg) : export_to_file(cli, file, &counts, &msg);
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        return show(cli, streamed ? NULL : file, &counts, nanos_sub(clock_boot(), begun));
}
