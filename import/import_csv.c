#include "import/import_csv.h"

#include "base/mem.h"
#include "import/import_origin.h"
#include "import/import_row.h"

struct import_csv {
        struct import_sink sink;
        struct csv_reader *reader;
        struct import_layout layout;
        bool past_header;
        struct buf record;
        struct buf origin;
};

/* ---- the beginning ---- */

/* What is made of a file's beginning. */
struct look {
        struct import_layout *layout;
        struct import_sample sample;
        bool has_header;
        int description; /* where it is in a row */
        struct err_msg *msg;
};

static enum err look_at_row(void *context, const struct csv_row *row)
{
        struct look *look = context;
        enum err rc;

        if (look->has_header) {
                if (look->description != LAYOUT_NONE && (size_t)look->description < row->count)
                        import_table_sample(&look->sample, row->fields[look->description]);
                return OK;
        }
        rc = import_layout_init(look->layout, row, look->msg);
        look->has_header = rc == OK;
        look->description = import_layout_place(look->layout, "DESCRIPTION");
        return rc;
}

static enum err look_at_broken(void *context, const struct csv_broken *broken)
{
        const struct look *look = context;

        return look->has_header ? OK : err_set(look->msg, ERR_BADVALUE, "its header line: %s", broken->why);
}

/* Reads the beginning. Its last row may be cut off, and is looked at only when there is no other. */
static enum err read_beginning(struct slice first, struct look *look)
{
        const struct csv_reader_sink rows = {.row = look_at_row, .broken = look_at_broken, .context = look};
        struct csv_reader *reader;
        enum err rc = csv_reader_create(&reader, &rows);

        if (rc == OK)
                rc = csv_reader_feed(reader, first);
        if (rc == OK && look->sample.rows == 0)
                rc = csv_reader_finish(reader);
        csv_reader_destroy(&reader);
        return rc == ERR_NOMEM ? err_set(look->msg, rc, "out of memory") : rc;
}

static struct slice first_line(struct slice text)
{
        const uint8_t *end = text.len == 0 ? NULL : memchr(text.data, '\n', text.len);

        return end == NULL ? text : slice_of(text.data, (size_t)(end - text.data));
}

static enum err find_layout(const struct import_csv_file *file, struct import_layout *out, struct err_msg *msg)
{
        struct look look = {.layout = out, .msg = msg};
        struct import_header names;
        enum import_kind kind;
        enum err rc;

        *out = (struct import_layout){.count = 0};
        rc = read_beginning(file->first, &look);
        if (rc == ERR_BADVALUE && !import_table_may_be(file->path, first_line(file->first)))
                rc = ERR_NOTYPE; /* a text like any other */
        if (rc == OK && !look.has_header)
                rc = err_set(msg, ERR_NOTFOUND, "it is empty: a header line is needed");
        if (rc == OK) {
                names = (struct import_header){.names = (const char *const *)out->names, .count = out->count};
                rc = import_table_find(&names, file->path, &look.sample, &kind, msg);
        }
        if (rc == OK)
                import_layout_bind(out, kind);
        else
                import_layout_deinit(out);
        out->prefix = file->prefix;
        out->today = file->today;
        return rc;
}

enum err import_csv_look(const struct import_csv_file *file, enum import_kind *kind, struct err_msg *msg)
{
        struct import_layout layout;
        enum err rc = find_layout(file, &layout, msg);

        *kind = layout.kind;
        import_layout_deinit(&layout);
        return rc;
}

/* ---- rows ---- */

static enum err give_bad(struct import_csv *import, uint64_t line, const struct reject *reject)
{
        const struct import_bad bad = {.line = line,
                .reject = *reject,
                .table = import_table_name(import->layout.kind),
                .origin = buf_slice(&import->origin)};

        return import->sink.bad(import->sink.context, &bad);
}

static enum err on_row(void *context, const struct csv_row *row)
{
        struct import_csv *import = context;
        struct reject reject;
        struct import_item item;
        enum err rc;

        if (!import->past_header) {
                import->past_header = true;
                return OK;
        }
        buf_truncate(&import->record, 0);
        rc = import_row_to_record(&import->layout, row, &import->record, &reject);
        if (rc == ERR_BADVALUE) {
                rc = import_origin_of_row(&import->layout, row, &import->origin);
                return rc == OK ? give_bad(import, row->line, &reject) : rc;
        }
        if (rc != OK)
                return rc;
        item = (struct import_item){
                .table = import_table_name(import->layout.kind), .line = row->line, .row = buf_slice(&import->record)};
        return import->sink.item(import->sink.context, &item);
}

static enum err on_broken(void *context, const struct csv_broken *broken)
{
        const struct reject reject = reject_of(broken->reason, NULL);
        struct import_csv *import = context;
        enum err rc = OK;

        buf_truncate(&import->origin, 0);
        if (broken->text.len > 0)
                rc = import_origin_of_text(&import->layout, broken->text, &import->origin);
        return rc == OK ? give_bad(import, broken->line, &reject) : rc;
}

/* ---- files ---- */

enum err import_csv_create(struct import_csv **out, const struct import_csv_file *file, const struct import_sink *sink,
        struct err_msg *msg)
{
        struct import_csv *import = vc_calloc(1, sizeof(*import));
        struct csv_reader_sink rows = {.row = on_row, .broken = on_broken, .context = import};
        enum err rc;

        *out = NULL;
        if (import == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        import->sink = *sink;
        buf_init(&import->record, 0);
        buf_init(&import->origin, 0);
        rc = find_layout(file, &import->layout, msg);
        if (rc == OK && csv_reader_create(&import->reader, &rows) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        if (rc == OK)
                *out = import;
        else
                import_csv_destroy(&import);
        return rc;
}

void import_csv_destroy(struct import_csv **import)
{
        if (*import == NULL)
                return;
        csv_reader_destroy(&(*import)->reader);
        import_layout_deinit(&(*import)->layout);
        buf_deinit(&(*import)->record);
        buf_deinit(&(*import)->origin);
        vc_free(*import);
        *import = NULL;
}

enum err import_csv_feed(struct import_csv *import, struct slice bytes, struct err_msg *msg)
{
        enum err rc = csv_reader_feed(import->reader, bytes);

        return rc == ERR_NOMEM ? err_set(msg, rc, "out of memory") : rc;
}

enum err import_csv_finish(struct import_csv *import, struct err_msg *msg)
{
        enum err rc = csv_reader_finish(import->reader);

        return rc == ERR_NOMEM ? err_set(msg, rc, "out of memory") : rc;
}
