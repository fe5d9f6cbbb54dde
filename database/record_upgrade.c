#include "database/record.h"
#include "database/record_draft.h"
#include "database/record_field.h"

/* The present name of a member: as the changes behind `from` have it. */
static struct slice present_name(const struct record_table *table, uint32_t from, struct slice name)
{
        for (uint32_t i = 0; i < table->change_count; i++) {
                const struct record_change *change = &table->changes[i];

                for (uint32_t r = 0; change->schema > from && r < change->rename_count; r++)
                        if (slice_equal(name, slice_str(change->renames[r].from)))
                                return slice_str(change->renames[r].to);
        }
        return name;
}

struct upgrade {
        const struct record_table *table;
        uint32_t from;
        struct slice map;
        struct slice *items; /* by the index of their fields */
};

static enum err put_member(const struct upgrade *u, struct slice name, struct slice item, struct buf *out)
{
        struct slice present = present_name(u->table, u->from, name);
        const struct record_field *field = record_field_find(u->table, present);
        struct slice twin;
        enum err rc;

        if (field != NULL && !slice_equal(name, present) && value_member(u->map, field->name, &twin))
                present = name;
        else if (field != NULL)
                u->items[field - u->table->fields] = item;
        rc = value_put_text(out, present);
        return rc == OK ? buf_append_slice(out, item) : rc;
}

static enum err put_members(const struct upgrade *u, struct buf *out, uint32_t *count)
{
        struct value_iter iter;
        struct slice name;
        struct slice item;
        enum err rc = OK;

        if (!value_iter_init(&iter, u->map, VALUE_MAP))
                return ERR_CORRUPT;
        *count = iter.left;
        while (rc == OK && value_next_member(&iter, &name, &item))
                rc = put_member(u, name, item, out);
        return rc == OK && iter.left > 0 ? ERR_CORRUPT : rc;
}

enum err record_upgrade(const struct record_table *table, uint32_t from, struct slice map, struct buf *out)
{
        struct slice items[RECORD_FIELDS_MAX];
        const struct upgrade u = {table, from, map, items};
        size_t before = buf_len(out);
        uint32_t count = 0;
        size_t mark = 0;
        enum err rc = value_open_map(out, &mark);

        for (uint32_t i = 0; i < table->field_count; i++)
                items[i] = SLICE_EMPTY;
        if (rc == OK)
                rc = put_members(&u, out, &count);
        if (rc == OK)
                rc = record_draft_presets(table, items, out, &count);
        if (rc == OK)
                value_close_map(out, mark, count);
        else
                buf_truncate(out, before);
        return rc;
}
