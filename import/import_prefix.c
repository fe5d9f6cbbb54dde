#include "import/import_prefix.h"

static bool names_a_student(const char *table, struct slice member)
{
        if (slice_equal(member, slice_str("student")))
                return true;
        if (strcmp(table, "students") == 0)
                return slice_equal(member, slice_str("id"));
        return strcmp(table, "merges") == 0 && slice_equal(member, slice_str("into"));
}

static enum err put_prefixed(struct slice id, struct slice prefix, struct buf *out)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = buf_append_slice(&text, prefix);
        if (rc == OK)
                rc = buf_append_slice(&text, id);
        if (rc == OK)
                rc = value_put_text(out, buf_slice(&text));
        buf_deinit(&text);
        return rc;
}

static enum err put_members(const char *table, struct value_iter *members, struct slice prefix, struct buf *out)
{
        struct slice name;
        struct slice item;
        struct slice id;
        enum err rc = value_put_map(out, members->left);

        while (rc == OK && value_next_member(members, &name, &item)) {
                rc = value_put_text(out, name);
                if (rc != OK)
                        break;
                if (names_a_student(table, name) && value_text(item, &id))
                        rc = put_prefixed(id, prefix, out);
                else
                        rc = buf_append_slice(out, item);
        }
        return rc == OK && members->left > 0 ? ERR_CORRUPT : rc;
}

enum err import_prefix_put(const char *table, struct slice row, struct slice prefix, struct buf *out)
{
        struct value_iter members;
        size_t before = buf_len(out);
        enum err rc;

        if (!value_iter_init(&members, row, VALUE_MAP))
                return ERR_CORRUPT;
        rc = prefix.len == 0 ? buf_append_slice(out, row) : put_members(table, &members, prefix, out);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
