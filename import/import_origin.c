#include "import/import_origin.h"

#include "database/value_json.h"

/* Latin-1 as UTF-8: each byte is the character of its number. */
static enum err put_latin1(struct buf *out, struct slice text)
{
        struct buf utf8;
        enum err rc = OK;

        buf_init(&utf8, 0);
        for (size_t i = 0; rc == OK && i < text.len; i++) {
                uint8_t c = text.data[i];
                const uint8_t two[] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};

                rc = c < 0x80 ? buf_append(&utf8, &c, 1) : buf_append(&utf8, two, sizeof(two));
        }
        if (rc == OK)
                rc = value_put_text(out, buf_slice(&utf8));
        buf_deinit(&utf8);
        return rc;
}

static enum err put_text(struct buf *out, struct slice text)
{
        return slice_is_utf8(text) ? value_put_text(out, text) : put_latin1(out, text);
}

/* The map's head and all members but the last. */
static enum err put_head(const struct import_layout *layout, struct buf *out)
{
        enum err rc = value_put_map(out, 3);

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(import_table_name(layout->kind)));
        if (rc == OK)
                rc = value_put_str(out, "columns");
        if (rc == OK)
                rc = value_put_list(out, (uint32_t)layout->count);
        for (size_t i = 0; rc == OK && i < layout->count; i++)
                rc = value_put_str(out, layout->names[i]);
        return rc;
}

static enum err put_cells(const struct csv_row *row, struct buf *out)
{
        enum err rc = value_put_str(out, "cells");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)row->count);
        for (size_t i = 0; rc == OK && i < row->count; i++)
                rc = put_text(out, row->fields[i]);
        return rc;
}

/* Puts the JSON of `value` in place of what *out holds. */
static enum err make_json(struct buf *value, enum err rc, struct buf *out)
{
        buf_truncate(out, 0);
        if (rc == OK)
                rc = value_to_json(buf_slice(value), out);
        buf_deinit(value);
        return rc;
}

enum err import_origin_of_row(const struct import_layout *layout, const struct csv_row *row, struct buf *out)
{
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        rc = put_head(layout, &value);
        if (rc == OK)
                rc = put_cells(row, &value);
        return make_json(&value, rc, out);
}

enum err import_origin_of_text(const struct import_layout *layout, struct slice text, struct buf *out)
{
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        rc = put_head(layout, &value);
        if (rc == OK)
                rc = value_put_str(&value, "text");
        if (rc == OK)
                rc = put_text(&value, text);
        return make_json(&value, rc, out);
}
