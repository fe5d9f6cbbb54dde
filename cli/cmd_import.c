/* import: files into the running server, students first. */
#include "cli/cli.h"
#include "cli/import_report_show.h"
#include "cli/import_run.h"
#include "cli/print.h"

static enum err show_report(struct cli *cli, const struct import_report *report, const struct import_files *files)
{
        struct buf value;
        enum err rc;

        if (cli->human)
                return import_report_print(report, files, cli->out);
        buf_init(&value, 0);
        rc = import_report_to_value(report, files, &value);
        if (rc == OK)
                rc = print_json(cli->out, buf_slice(&value));
        buf_deinit(&value);
        return rc;
}

static bool has_a_table(const struct import_files *files)
{
        for (size_t i = 0; i < files->count; i++)
                if (!files->files[i].skipped)
                        return true;
        return false;
}

/* A line over itself needs a terminal; lines of their own are for a person who keeps them. */
static enum progress_style progress_style(const struct cli *cli)
{
        if (cli->args.flags[FLAG_json] != NULL)
                return PROGRESS_NONE;
        if (cli->progress)
                return PROGRESS_BAR;
        return cli->human ? PROGRESS_LINES : PROGRESS_NONE;
}

/* What was acknowledged and what was left out stays, also when the rest failed. */
static enum err import_and_report(struct import_run *run, struct err_msg *msg)
{
        struct import_report *report = run->report;
        struct nanos begun = clock_boot();
        struct err_msg second;
        enum err rc;
        enum err shown;

        import_progress_start(run->progress, begun);
        rc = import_run(run, msg);
        import_progress_end(run->progress);
        report->took = nanos_sub(clock_boot(), begun);
        shown = import_rejects_finish(run->rejects, rc == OK ? msg : &second);
        rc = rc == OK ? shown : rc;
        report->rejects = import_rejects_count(run->rejects);
        report->rejects_path = report->rejects > 0 ? run->cli->args.flags[FLAG_rejects] : NULL;
        shown = show_report(run->cli, report, run->files);
        if (rc == OK && shown != OK)
                rc = err_set(msg, shown, "the report cannot be shown: %s", err_text(shown));
        if (rc == OK && !has_a_table(run->files)) /* a wrong path must not look like a success */
                rc = err_set(msg, ERR_IO, "nothing to import: no file there holds a table");
        return rc;
}

static struct slice prefix_of(const struct cli *cli)
{
        const char *prefix = cli->args.flags[FLAG_prefix];

        return prefix == NULL ? SLICE_EMPTY : slice_str(prefix);
}

static enum cli_exit import_found(struct cli *cli, const struct import_files *files)
{
        struct import_report report = {.reason_count = 0};
        struct import_names names;
        struct import_progress progress = {
                .style = progress_style(cli), .out = cli->err, .total = import_files_bytes(files)};
        struct import_run run = {.cli = cli,
                .files = files,
                .report = &report,
                .progress = &progress,
                .names = &names,
                .prefix = prefix_of(cli)};
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = import_rejects_create(&run.rejects, cli->args.flags[FLAG_rejects], &msg);

        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        import_names_init(&names);
        result = cli_connect(cli);
        if (result == EXIT_OK) {
                rc = import_and_report(&run, &msg);
                if (rc != OK)
                        result = cli_fail(cli, rc, &msg);
                else if (import_report_is_partial(&report))
                        result = EXIT_PARTIAL;
        }
        import_rejects_destroy(&run.rejects);
        import_names_deinit(&names);
        return result;
}

enum cli_exit cmd_import(struct cli *cli)
{
        struct import_files files;
        struct err_msg msg;
        enum err rc = import_files_init(&files, cli->args.words, (size_t)cli->args.word_count, fileno(cli->in), &msg);
        enum cli_exit result;

        if (rc == OK) {
                result = import_found(cli, &files);
        } else {
                (void)cli_fail(cli, rc, &msg);
                result = EXIT_USAGE;
        }
        import_files_deinit(&files);
        return result;
}
