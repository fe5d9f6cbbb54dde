#include "database/import_csv.h"

#include "base/mem.h"

struct import_csv {
        struct import_sink sink;
        struct csv_reader *reader;
        char *path;
        bool has_layout;
        struct import_layout layout;
        struct buf record;
        struct err_msg *msg; /* of the call under way */
};

static enum err reject_row(struct import_csv *import, uint64_t line, const struct reject *reject)
{
        const struct import_bad bad = {
                .line = line, .reject = *reject, .table = import_table_name(import->layout.kind)};

        return import->sink.bad(import->sink.context, &bad);
}

static enum err on_row(void *context, const struct csv_row *row)
{
        struct import_csv *import = context;
        struct reject reject;
        struct import_item item;
        enum err rc;

        if (!import->has_layout) {
                rc = import_layout_init(&import->layout, row, import->path, import->msg);
                import->has_layout = rc == OK;
                return rc;
        }
        buf_truncate(&import->record, 0);
        rc = import_row_to_record(&import->layout, row, &import->record, &reject);
        if (rc == ERR_BADVALUE)
                return reject_row(import, row->line, &reject);
        if (rc != OK)
                return err_set(import->msg, rc, "out of memory");
        item = (struct import_item){
                .table = import_table_name(import->layout.kind), .line = row->line, .row = buf_slice(&import->record)};
        return import->sink.item(import->sink.context, &item);
}

static enum err on_broken(void *context, uint64_t line, const char *why)
{
        const struct reject reject = reject_of(REJECT_QUOTES, NULL);
        struct import_csv *import = context;

        if (!import->has_layout)
                return err_set(import->msg, ERR_BADVALUE, "its header line: %s", why);
        return reject_row(import, line, &reject);
}

enum err import_csv_create(struct import_csv **out, const char *path, const struct import_sink *sink)
{
        struct import_csv *import = vc_calloc(1, sizeof(*import));
        struct csv_reader_sink rows = {.row = on_row, .broken = on_broken, .context = import};

        *out = NULL;
        if (import == NULL)
                return ERR_NOMEM;
        import->sink = *sink;
        buf_init(&import->record, 0);
        import->path = vc_strdup(path);
        if (import->path == NULL || csv_reader_create(&import->reader, &rows) != OK) {
                import_csv_destroy(&import);
                return ERR_NOMEM;
        }
        *out = import;
        return OK;
}

void import_csv_destroy(struct import_csv **import)
{
        if (*import == NULL)
                return;
        csv_reader_destroy(&(*import)->reader);
        import_layout_deinit(&(*import)->layout);
        buf_deinit(&(*import)->record);
        vc_free((*import)->path);
        vc_free(*import);
        *import = NULL;
}

enum err import_csv_feed(struct import_csv *import, struct slice bytes, struct err_msg *msg)
{
        import->msg = msg;
        return csv_reader_feed(import->reader, bytes);
}

enum err import_csv_finish(struct import_csv *import, struct err_msg *msg)
{
        enum err rc;

        import->msg = msg;
        rc = csv_reader_finish(import->reader);
        if (rc == OK && !import->has_layout)
                rc = err_set(msg, ERR_BADVALUE, "it is empty: a header line is needed");
        return rc;
}

bool import_csv_kind(const struct import_csv *import, enum import_kind *kind)
{
        *kind = import->layout.kind;
        return import->has_layout;
}
