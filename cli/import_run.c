#include "cli/import_run.h"

#include "cli/import_read.h"
#include "cli/import_send.h"

/* One file on its way. */
struct passage {
        const struct import_run *run;
        struct import_send *send;
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

        import_report_counts(p->run->report, item->table)->rows++;
        return import_send_row(p->send, p->file->path, item, p->msg);
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct passage *p = context;
        const struct import_place place = {.path = p->file->path, .line = bad->line};

        import_report_counts(p->run->report, bad->table)->rows++;
        import_report_reject(p->run->report, bad->table, &bad->reject, 1);
        import_report_place(p->run->report, bad->table, &bad->reject, &place);
        return import_rejects_add(p->run->rejects, p->file->path, bad, p->msg);
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
        const struct import_watch watch = {.piece = show_progress, .context = p};
        enum err rc = import_read(p->file, &sink, &watch, p->msg);

        p->bytes += p->file->size;
        return rc == OK ? import_send_finish(p->send, p->msg) : rc;
}

enum err import_run(const struct import_run *run, struct err_msg *msg)
{
        struct passage p = {.run = run, .msg = msg};
        enum err rc = import_send_create(&p.send, run->cli->conn, run->report);

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        rc = import_send_begin(p.send, msg);
        for (size_t i = 0; rc == OK && i < run->files->count; i++) {
                p.file = &run->files->files[i];
                if (!p.file->skipped)
                        rc = import_file(&p);
        }
        import_send_destroy(&p.send);
        return rc;
}
