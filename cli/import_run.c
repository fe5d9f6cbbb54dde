#include "cli/import_run.h"

#include "base/hash.h"
#include "cli/import_flow.h"
#include "cli/import_full.h"
#include "cli/import_read.h"
#include "import/row_json.h"

/* For what is remembered of all rows: ten million need it, and more take longer, but no more of it. */
enum { IMPORT_MEMORY = 64 << 20 };

/* One file on its way. */
struct passage {
        const struct import_run *run;
        struct import_flow *flow;
        struct import_file *file;
        uint64_t bytes; /* of the files before it */
        struct err_msg *msg;
};

static void show_progress(void *context, uint64_t bytes)
{
        const struct passage *p = context;
        const struct progress_at at = {
                .path = p->file->path, .bytes = p->bytes + bytes, .rows = import_report_rows(p->run->report)};

        import_progress_show(p->run->progress, &at, clock_boot());
}

static enum err take_item(void *context, const struct import_item *item)
{
        struct passage *p = context;
        const struct import_line line = {
                .table = item->table, .place = {.path = p->file->path, .line = item->line}, .row = item->row};

        import_report_counts(p->run->report, item->table)->rows++;
        return import_flow_row(p->flow, &line, p->msg);
}

/* What is left out, by a reader or later. */
static enum err leave_out(
        const struct import_run *run, const struct import_bad *bad, const char *path, struct err_msg *msg)
{
        const struct import_place place = {.path = path, .line = bad->line};

        import_report_reject(run->report, bad->table, &bad->reject, 1);
        import_report_place(run->report, bad->table, &bad->reject, &place);
        return import_rejects_add(run->rejects, path, bad, msg);
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct passage *p = context;

        import_report_counts(p->run->report, bad->table)->rows++;
        return leave_out(p->run, bad, p->file->path, p->msg);
}

/* A row left out after it was read: its origin is the row. */
static enum err leave_out_row(
        void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        const struct passage *p = context;
        struct import_bad bad = {.line = line->place.line, .reject = *reject, .table = line->table};
        struct buf origin;
        enum err rc = OK;

        buf_init(&origin, 0);
        if (import_rejects_wanted(p->run->rejects))
                rc = row_json_put(line->table, line->row, &origin);
        bad.origin = buf_slice(&origin);
        rc = rc == OK ? leave_out(p->run, &bad, line->place.path, msg)
                      : err_set(msg, rc, "cannot keep a reject: %s", err_text(rc));
        buf_deinit(&origin);
        return rc;
}

static enum err take_ignored(void *context, const char *kind)
{
        const struct passage *p = context;

        import_report_ignored(p->run->report, kind);
        return OK;
}

static enum err import_file(struct passage *p)
{
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .ignored = take_ignored, .context = p};
        const struct import_how how = {.names = p->run->names,
                .prefix = p->run->prefix,
                .today = p->run->today,
                .piece = show_progress,
                .context = p};
        enum err rc = import_read(p->file, &sink, &how, p->msg);

        p->bytes += p->file->size;
        return rc;
}

/* A byte for each byte of the input is plenty, also when that is packed; of a pipe the size is not known. */
static size_t filter_bytes(const struct import_files *files)
{
        uint64_t bytes = import_files_bytes(files);

        return bytes == 0 || bytes > IMPORT_MEMORY ? IMPORT_MEMORY : (size_t)bytes;
}

static enum err read_all(struct passage *p)
{
        const struct import_files *files = p->run->files;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < files->count; i++) {
                p->file = &files->files[i];
                if (!p->file->skipped)
                        rc = import_file(p);
        }
        import_progress_say(p->run->progress, "trying again what came before its student ...");
        return rc == OK ? import_flow_finish(p->flow, p->msg) : rc;
}

static enum err compare(
        const struct import_run *run, const struct import_flow *flow, uint64_t seed, struct err_msg *msg)
{
        const struct import_full full = {.conn = run->cli->conn,
                .report = run->report,
                .seen = import_flow_seen(flow),
                .owners = import_flow_owners(flow),
                .missing = run->missing,
                .prefix = run->prefix,
                .replace = run->options.replace,
                .replace_most = run->options.replace_most,
                .dry_run = run->options.dry_run,
                .memory = IMPORT_MEMORY,
                .seed = seed};

        run->report->full = true;
        run->report->replace = run->options.replace;
        return import_full_run(&full, msg);
}

/* Everything once. */
static enum err pass(const struct import_run *run, const struct import_options *options, struct err_msg *msg)
{
        struct passage p = {.run = run, .msg = msg};
        struct import_flow_config config = {.conn = run->cli->conn,
                .report = run->report,
                .left_out = leave_out_row,
                .context = &p,
                .dry_run = options->dry_run,
                .owners = options->replace,
                .memory = IMPORT_MEMORY,
                .filter = filter_bytes(run->files)};
        enum err rc = random_bytes(&config.seed, sizeof(config.seed));

        if (rc != OK)
                return err_set(msg, rc, "the kernel gives no random bytes");
        rc = import_flow_create(&p.flow, &config, msg);
        if (rc == OK)
                rc = read_all(&p);
        if (rc == OK && options->full) {
                import_progress_say(run->progress, "comparing with what the server holds ...");
                rc = compare(run, p.flow, config.seed, msg);
        }
        import_flow_destroy(&p.flow);
        return rc;
}

enum err import_run(const struct import_run *run, struct err_msg *msg)
{
        const struct import_options trial = {.dry_run = true};
        enum err rc = OK;

        if (run->options.dry_run)
                run->report->only_tried = "dry-run";
        if (run->options.strict) {
                rc = pass(run, &trial, msg);
                if (rc != OK || import_report_is_partial(run->report)) {
                        run->report->only_tried = "strict";
                        return rc;
                }
                *run->report = (struct import_report){.only_tried = run->report->only_tried};
                import_progress_start(run->progress, clock_boot());
        }
        return pass(run, &run->options, msg);
}
