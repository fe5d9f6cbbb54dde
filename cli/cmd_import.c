/* import: files into the running server, students first. */
#include "base/priority.h"
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

/* A wrong path must not look like a success. */
static enum err check_found(const struct import_files *files, struct err_msg *msg)
{
        for (size_t i = 0; i < files->count; i++)
                if (!files->files[i].skipped)
                        return OK;
        if (files->count == 1)
                return err_set(
                        msg, ERR_IO, "nothing to import: %s: %s", files->files[0].path, files->files[0].why.text);
        return err_set(msg, ERR_IO, "nothing to import: %s: %s; and nothing in %zu more", files->files[0].path,
                files->files[0].why.text, files->count - 1);
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

/* The files that were made beside the import, complete and counted. */
static enum err finish_files(const struct import_run *run, struct err_msg *msg)
{
        struct import_report *report = run->report;
        const char *const *flags = run->cli->args.flags;
        struct err_msg second;
        enum err rc = import_rejects_finish(run->rejects, msg);
        enum err missing = line_file_finish(run->missing, rc == OK ? msg : &second);

        report->rejects = import_rejects_count(run->rejects);
        report->rejects_path = report->rejects > 0 ? flags[FLAG_rejects] : NULL;
        report->missing = line_file_count(run->missing);
        report->missing_path = report->missing > 0 ? flags[FLAG_missing] : NULL;
        return rc == OK ? missing : rc;
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
        shown = finish_files(run, rc == OK ? msg : &second);
        rc = rc == OK ? shown : rc;
        shown = show_report(run->cli, report, run->files);
        if (rc == OK && shown != OK)
                rc = err_set(msg, shown, "the report cannot be shown: %s", err_text(shown));
        return rc;
}

static struct slice prefix_of(const struct cli *cli)
{
        const char *prefix = cli->args.flags[FLAG_prefix];

        return prefix == NULL ? SLICE_EMPTY : slice_str(prefix);
}

static void say_too_much(const struct cli *cli, const struct import_counts *counts)
{
        fprintf(cli->err,
                "vitalcache: nothing was removed: %llu of %llu %s did not come. Are these all the files? If so,"
                " --replace-most removes them\n",
                (unsigned long long)counts->missing, (unsigned long long)counts->stored, counts->table);
}

/* Whether something was left out, or was to be removed and stays. */
static bool is_partial(const struct import_report *report)
{
        return import_report_is_partial(report) || report->too_much != NULL || report->kept_students > 0;
}

/* Everything is ready. */
static enum cli_exit run_import(struct import_run *run)
{
        struct err_msg msg;
        enum cli_exit result = cli_connect(run->cli);
        enum err rc;

        if (result != EXIT_OK)
                return result;
        rc = import_and_report(run, &msg);
        if (rc != OK)
                return cli_fail(run->cli, rc, &msg);
        if (run->report->too_much != NULL)
                say_too_much(run->cli, run->report->too_much);
        return is_partial(run->report) ? EXIT_PARTIAL : EXIT_OK;
}

static enum cli_exit import_found(
        struct cli *cli, const struct import_files *files, const struct import_options *options)
{
        enum { DATE_LENGTH = 10 };
        char now[CLOCK_TEXT_SIZE];
        struct import_report report = {.reason_count = 0};
        struct import_names names;
        struct import_progress progress = {
                .style = progress_style(cli), .out = cli->err, .total = import_files_bytes(files)};
        struct import_run run = {.options = *options,
                .cli = cli,
                .files = files,
                .report = &report,
                .progress = &progress,
                .names = &names,
                .prefix = prefix_of(cli),
                .today = slice_of(now, DATE_LENGTH)};
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = import_rejects_create(&run.rejects, cli->args.flags[FLAG_rejects], &msg);

        clock_format(clock_wall(), now);
        import_names_init(&names);
        if (rc == OK)
                rc = line_file_create(&run.missing, cli->args.flags[FLAG_missing], "missing records", &msg);
        result = rc == OK ? run_import(&run) : cli_fail(cli, rc, &msg);
        import_rejects_destroy(&run.rejects);
        line_file_destroy(&run.missing);
        import_names_deinit(&names);
        return result;
}

/* ---- the command line ---- */

static enum err read_options(const struct cli *cli, struct import_options *out, struct err_msg *msg)
{
        const char *const *flags = cli->args.flags;

        *out = (struct import_options){.dry_run = flags[FLAG_dry_run] != NULL,
                .strict = flags[FLAG_strict] != NULL,
                .full = flags[FLAG_full] != NULL,
                .replace = flags[FLAG_replace] != NULL || flags[FLAG_replace_most] != NULL,
                .replace_most = flags[FLAG_replace_most] != NULL};
        if ((out->replace || flags[FLAG_missing] != NULL) && !out->full)
                return err_set(msg, ERR_SYNTAX,
                        "%s needs --full: only when the files are all there is, what does not come"
                        " is gone",
                        out->replace_most ? "--replace-most"
                        : out->replace    ? "--replace"
                                          : "--missing");
        return OK;
}

/* What --strict reads twice must be a file. */
static enum err check_strict(const struct import_files *files, struct err_msg *msg)
{
        for (size_t i = 0; i < files->count; i++)
                if (files->files[i].once && !files->files[i].skipped)
                        return err_set(msg, ERR_SYNTAX, "%s can be read once only, and --strict reads it twice",
                                files->files[i].path);
        return OK;
}

enum cli_exit cmd_import(struct cli *cli)
{
        struct import_options options;
        struct import_files files;
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = read_options(cli, &options, &msg);

        if (rc != OK)
                return cli_fail(cli, rc, &msg);
        priority_lower(PRIORITY_BULK); /* the server may be on this machine, and have people waiting */
        rc = import_files_init(&files, cli->args.words, (size_t)cli->args.word_count, fileno(cli->in), &msg);
        if (rc == OK)
                rc = check_found(&files, &msg);
        if (rc == OK && options.strict)
                rc = check_strict(&files, &msg);
        if (rc == OK) {
                result = import_found(cli, &files, &options);
        } else {
                (void)cli_fail(cli, rc, &msg);
                result = EXIT_USAGE;
        }
        import_files_deinit(&files);
        return result;
}
