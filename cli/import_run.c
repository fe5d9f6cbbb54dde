#include "cli/import_run.h"

#include "cli/import_send.h"

/* One file on its way. */
struct passage {
        const struct import_run *run;
        struct import_send *send;
        const struct import_file *file;
        uint64_t rows;
        struct err_msg *msg;
};

static void show_progress(const struct passage *p, bool done)
{
        const struct cli *cli = p->run->cli;

        if (!cli->human || (!done && (!cli->progress || p->rows % 10000 != 0)))
                return;
        fprintf(cli->err, "%s%s: %llu rows%s", cli->progress ? "\r" : "", p->file->path, (unsigned long long)p->rows,
                done ? "\n" : " ...");
        (void)fflush(cli->err);
}

static enum err take_item(void *context, const struct import_item *item)
{
        struct passage *p = context;

        p->rows++;
        import_report_counts(p->run->report, item->table)->rows++;
        show_progress(p, false);
        return import_send_row(p->send, p->file->path, item, p->msg);
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct passage *p = context;
        const struct import_place place = {.path = p->file->path, .line = bad->line};

        p->rows++;
        import_report_counts(p->run->report, bad->table)->rows++;
        import_report_reject(p->run->report, bad->table, &bad->reject, 1);
        import_report_place(p->run->report, bad->table, &bad->reject, &place);
        return OK;
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
        enum err rc;

        p->rows = 0;
        rc = import_files_read(p->file, &sink, p->msg);
        if (rc == OK)
                rc = import_send_finish(p->send, p->msg);
        if (rc == OK)
                show_progress(p, true);
        return rc;
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
