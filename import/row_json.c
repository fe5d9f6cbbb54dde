#include "import/row_json.h"

#include "database/value_json.h"

/* The original that the member is, if it is one. What begins with a brace was read as one object by whoever sent it. */
static bool is_original(struct slice key, struct slice item, struct slice *text)
{
        return slice_equal(key, slice_str("resource")) && value_text(item, text) && text->len > 0 &&
               text->data[0] == '{';
}

/* "name":item */
static enum err put_member(struct slice key, struct slice item, struct buf *out)
{
        struct slice original;
        struct buf name;
        enum err rc;

        buf_init(&name, 0);
        rc = value_put_text(&name, key);
        if (rc == OK)
                rc = value_to_json(buf_slice(&name), out);
        buf_deinit(&name);
        if (rc == OK)
                rc = buf_append_str(out, ":");
        if (rc != OK)
                return rc;
        return is_original(key, item, &original) ? buf_append_slice(out, original) : value_to_json(item, out);
}

static enum err put_row(struct slice row, struct buf *out)
{
        struct value_iter members;
        struct slice key;
        struct slice item;
        enum err rc = OK;

        if (!value_iter_init(&members, row, VALUE_MAP))
                return ERR_CORRUPT;
        for (bool first = true; rc == OK && value_next_member(&members, &key, &item); first = false) {
                rc = buf_append_str(out, first ? "{" : ",");
                if (rc == OK)
                        rc = put_member(key, item, out);
        }
        if (rc == OK && members.left > 0)
                return ERR_CORRUPT;
        return rc;
}

static enum err put_line(const char *table, struct slice row, struct buf *out)
{
        struct value head;
        enum err rc = buf_printf(out, "{\"table\":\"%s\",\"row\":", table);

        if (rc != OK)
                return rc;
        if (!value_of(row, &head) || head.kind != VALUE_MAP)
                return ERR_CORRUPT;
        rc = head.as.count == 0 ? buf_append_str(out, "{") : put_row(row, out);
        return rc == OK ? buf_append_str(out, "}}") : rc;
}

enum err row_json_put(const char *table, struct slice row, struct buf *out)
{
        size_t before = buf_len(out);
        enum err rc = put_line(table, row, out);

        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
