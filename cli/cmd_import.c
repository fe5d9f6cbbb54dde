/* import: CSV files into the running server, table by table, students first. */
#include "cli/cli.h"
#include "cli/import_send.h"
#include "cli/print.h"

/* One file on its way. */
struct import_run {
        struct cli *cli;
        struct import_report *report;
        struct import_send *send;
        const struct import_file *file;
        struct err_msg *msg;
};

static void show_progress(const struct import_run *run, bool done)
{
        const struct cli *cli = run->cli;
        uint64_t rows = run->report->counts[run->file->kind].rows;

        if (!cli->human || (!done && (!cli->progress || rows % 10000 != 0)))
                return;
        fprintf(cli->err, "%s%s: %llu %s%s", cli->progress ? "\r" : "", run->file->path, (unsigned long long)rows,
                import_table_name(run->file->kind), done ? "\n" : " ...");
        (void)fflush(cli->err);
}

static enum err take_item(void *context, const struct import_item *item)
{
        struct import_run *run = context;

        run->report->counts[run->file->kind].rows++;
        show_progress(run, false);
        return import_send_row(run->send, run->file, item->line, item->row, run->msg);
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct import_run *run = context;

        run->report->counts[run->file->kind].rows++;
        import_report_reject(run->report, run->file, &bad->reject, 1);
        import_report_place(run->report, run->file, &bad->reject, bad->line);
        return OK;
}

static enum err import_file(struct import_run *run)
{
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = run};
        struct import_csv *import;
        enum err rc = import_csv_create(&import, run->file->path, &sink);

        if (rc != OK)
                return err_set(run->msg, rc, "out of memory");
        run->report->seen[run->file->kind] = true;
        rc = import_files_read(run->file->path, import, run->msg);
        import_csv_destroy(&import);
        if (rc == OK)
                rc = import_send_finish(run->send, run->msg);
        if (rc == OK)
                show_progress(run, true);
        return rc;
}

static enum err import_all(
        struct cli *cli, const struct import_files *files, struct import_report *report, struct err_msg *msg)
{
        struct import_run run = {.cli = cli, .report = report, .msg = msg};
        enum err rc = import_send_create(&run.send, cli->conn, report);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        rc = import_send_begin(run.send, msg);
        for (size_t i = 0; rc == OK && i < files->count; i++) {
                run.file = &files->files[i];
                if (!run.file->skipped)
                        rc = import_file(&run);
        }
        import_send_destroy(&run.send);
        return rc;
}

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

static enum cli_exit run_import(struct cli *cli, const struct import_files *files)
{
        struct import_report report = {.reason_count = 0};
        struct err_msg msg;
        enum cli_exit result = cli_connect(cli);
        enum err rc;
        enum err shown;

        if (result != EXIT_OK)
                return result;
        rc = import_all(cli, files, &report, &msg);
        shown = show_report(cli, &report, files); /* what was acknowledged stays, also when the rest failed */
        if (rc == OK && shown != OK)
                rc = err_set(&msg, shown, "the report cannot be shown: %s", err_text(shown));
        if (rc == OK && !has_a_table(files)) /* a wrong path must not look like a success */
                rc = err_set(&msg, ERR_IO, "nothing to import: no file there has the columns of a table");
        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        return import_report_is_partial(&report) ? EXIT_PARTIAL : EXIT_OK;
}

enum cli_exit cmd_import(struct cli *cli)
{
        struct import_files files;
        struct err_msg msg;
        enum err rc = import_files_init(&files, cli->args.words, (size_t)cli->args.word_count, &msg);
        enum cli_exit result;

        if (rc == OK) {
                result = run_import(cli, &files);
        } else {
                (void)cli_fail(cli, rc, &msg);
                result = EXIT_USAGE;
        }
        import_files_deinit(&files);
        return result;
}
