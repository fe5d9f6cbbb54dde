#include "import/import_own.h"

#include "import/import_row.h"

static enum err refuse(struct reject *reject, enum reject_reason reason, const char *field)
{
        *reject = reject_of(reason, field);
        return ERR_BADVALUE;
}

enum import_own_kind import_own_kind(struct slice value)
{
        struct slice item;

        if (!value_member(value, "table", &item))
                return IMPORT_OWN_NONE;
        if (value_member(value, "row", &item))
                return IMPORT_OWN_ROW;
        return value_member(value, "columns", &item) ? IMPORT_OWN_CELLS : IMPORT_OWN_NONE;
}

/* ---- rows ---- */

static enum err put_original(const struct json_part *member, struct buf *out)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = json_part_compact(member->text, &text);
        if (rc == OK)
                rc = value_put_text(out, buf_slice(&text));
        buf_deinit(&text);
        return rc;
}

static enum err put_member(struct slice name, const struct json_part *member, struct buf *out)
{
        struct value head;
        enum err rc = value_put_text(out, name);

        if (rc != OK)
                return rc;
        if (slice_equal(name, slice_str("resource")) && value_of(member->value, &head) && head.kind == VALUE_MAP)
                return put_original(member, out);
        return buf_append_slice(out, member->value);
}

static enum err put_row(struct json_part_iter *members, struct buf *out)
{
        struct json_part member;
        struct slice name;
        size_t before = buf_len(out);
        enum err rc = value_put_map(out, members->values.left);

        while (rc == OK && json_part_next_member(members, &name, &member))
                rc = put_member(name, &member, out);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

enum err import_own_row(const struct json_part *line, struct import_names *names, const char **table, struct buf *out,
        struct reject *reject)
{
        struct json_part_iter members;
        struct json_part row;
        struct slice name;
        enum err rc;

        *table = NULL;
        if (!value_member_text(line->value, "table", &name))
                return refuse(reject, REJECT_KIND, "table");
        rc = import_names_get(names, name, table);
        if (rc != OK)
                return rc == ERR_NOMEM ? rc : refuse(reject, REJECT_WORD, "table");
        if (!json_part_member(line, "row", &row) || !json_part_iter_init(&members, &row, VALUE_MAP))
                return refuse(reject, REJECT_KIND, "row");
        return put_row(&members, out);
}

/* ---- cells ---- */

/* The texts of the list `name`; the fields borrow from the line. */
static bool read_texts(struct slice line, const char *name, struct slice *fields, struct csv_row *row)
{
        struct value_iter items;
        struct slice item;

        if (!value_member(line, name, &item) || !value_iter_init(&items, item, VALUE_LIST) ||
                items.left > CSV_READER_FIELDS_MAX)
                return false;
        *row = (struct csv_row){.count = 0, .fields = fields};
        while (value_next(&items, &item))
                if (!value_text(item, &fields[row->count++]))
                        return false;
        return true;
}

/* A text on its way: it must hold one row. */
struct one_row {
        const struct import_layout *layout;
        struct buf *out;
        struct reject *reject;
        unsigned rows;
};

static enum err take_row(void *context, const struct csv_row *row)
{
        struct one_row *one = context;

        if (one->rows++ > 0)
                return refuse(one->reject, REJECT_QUOTES, "text");
        return import_row_to_record(one->layout, row, one->out, one->reject);
}

static enum err take_broken(void *context, const struct csv_broken *broken)
{
        struct one_row *one = context;

        return refuse(one->reject, broken->reason, "text");
}

static enum err map_text(const struct import_layout *layout, struct slice text, struct buf *out, struct reject *reject)
{
        struct one_row one = {.layout = layout, .out = out, .reject = reject};
        const struct csv_reader_sink sink = {.row = take_row, .broken = take_broken, .context = &one};
        struct csv_reader *reader;
        size_t before = buf_len(out);
        enum err rc = csv_reader_create(&reader, &sink);

        if (rc == OK)
                rc = csv_reader_feed(reader, text);
        if (rc == OK)
                rc = csv_reader_finish(reader);
        csv_reader_destroy(&reader);
        if (rc == OK && one.rows == 0)
                rc = refuse(reject, REJECT_MISSING, "text");
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

static enum err map_line(const struct import_layout *layout, struct slice line, struct buf *out, struct reject *reject)
{
        struct slice cells[CSV_READER_FIELDS_MAX];
        struct csv_row row;
        struct slice text;

        if (value_member_text(line, "text", &text))
                return map_text(layout, text, out, reject);
        if (!read_texts(line, "cells", cells, &row))
                return refuse(reject, REJECT_KIND, "cells");
        return import_row_to_record(layout, &row, out, reject);
}

enum err import_own_cells(
        const struct import_own_cells *line, const char **table, struct buf *out, struct reject *reject)
{
        struct slice columns[CSV_READER_FIELDS_MAX];
        struct import_layout layout;
        enum import_kind kind;
        struct csv_row header;
        struct slice name;
        enum err rc;

        *table = NULL;
        if (!value_member_text(line->value, "table", &name))
                return refuse(reject, REJECT_KIND, "table");
        if (!import_table_named(name, &kind))
                return refuse(reject, REJECT_WORD, "table");
        *table = import_table_name(kind);
        if (!read_texts(line->value, "columns", columns, &header))
                return refuse(reject, REJECT_KIND, "columns");
        rc = import_layout_init(&layout, &header, NULL);
        if (rc != OK)
                return rc == ERR_NOMEM ? rc : refuse(reject, REJECT_COLUMNS, "columns");
        import_layout_bind(&layout, kind);
        layout.prefix = line->prefix;
        layout.today = line->today;
        rc = map_line(&layout, line->value, out, reject);
        import_layout_deinit(&layout);
        return rc;
}
