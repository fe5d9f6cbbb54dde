#include "database/record.h"

#include "base/mem.h"
#include "database/record_field.h"

#include <stdio.h>

/* ---- one record ---- */

/* A record on its way to normal form, and where it stands, for messages. */
struct draft {
        const struct record_table *table;
        const char *place; /* "allergies[2]" */
        struct slice map;
        struct slice student; /* whose record it must be; empty: not known yet */
        struct slice id;      /* of the record; empty: it brings none */
        struct err_msg *msg;
};

static enum err bad_member(const struct draft *d, const char *name, enum err rc)
{
        return err_wrap(d->msg, rc, "%s.%s", d->place, name);
}

static bool is_null(struct slice item)
{
        return item.len == 1 && item.data[0] == 0xc0;
}

/* Whether a member is in the normal form: `student` and a null in a declared field are not. */
static bool survives(const struct record_table *table, struct slice name, struct slice item)
{
        if (slice_equal(name, slice_str("student")))
                return false;
        return !is_null(item) || (record_field_find(table, name) == NULL && !slice_equal(name, slice_str("id")));
}

static enum err check_required(const struct draft *d)
{
        for (uint32_t i = 0; i < d->table->field_count; i++) {
                const struct record_field *field = &d->table->fields[i];
                struct slice item;

                if (!field->required || strcmp(field->name, "id") == 0)
                        continue;
                if (!value_member(d->map, field->name, &item) || is_null(item))
                        return err_set(d->msg, ERR_BADVALUE, "%s.%s: is missing", d->place, field->name);
        }
        return OK;
}

static enum err check_members(const struct draft *d)
{
        struct value_iter iter;
        struct slice name;
        struct slice item;

        if (!value_iter_init(&iter, d->map, VALUE_MAP))
                return ERR_INTERNAL;
        while (value_next_member(&iter, &name, &item)) {
                const struct record_field *field = record_field_find(d->table, name);
                enum err rc = OK;

                if (field != NULL && survives(d->table, name, item))
                        rc = record_field_check(field, item, d->msg);
                if (rc != OK)
                        return bad_member(d, field->name, rc);
        }
        return check_required(d);
}

/* The id that the member `name` brings; *id stays empty when there is none. */
static enum err take_id(const struct draft *d, const char *name, enum id_kind kind, struct slice *id)
{
        struct slice item;
        struct value v;
        enum err rc;

        *id = SLICE_EMPTY;
        if (!value_member(d->map, name, &item) || is_null(item))
                return OK;
        if (!value_of(item, &v))
                return ERR_INTERNAL;
        if (v.kind != VALUE_TEXT)
                return bad_member(d, name, record_field_wrong_kind(d->msg, "text", v.kind));
        rc = record_id_check(kind, v.as.text, d->msg);
        if (rc != OK)
                return bad_member(d, name, rc == ERR_BADKEY ? ERR_BADVALUE : rc);
        *id = v.as.text;
        return OK;
}

/* As all errors here: the place and what would be right, never the value, which would travel into the logs */
static enum err id_differs(const struct draft *d, const char *name)
{
        return err_set(
                d->msg, ERR_BADVALUE, "%s.%s: another student's id than the one whose record this is", d->place, name);
}

static enum err require_map(const struct draft *d)
{
        struct value v;

        if (!value_of(d->map, &v))
                return ERR_INTERNAL;
        if (v.kind != VALUE_MAP)
                return err_wrap(d->msg, record_field_wrong_kind(d->msg, "a map", v.kind), "%s", d->place);
        return OK;
}

/* Whether the record does not say what `field` is, and the table does. */
static bool takes_preset(const struct draft *d, const struct record_field *field)
{
        struct slice item;

        return field->preset.len > 0 && (!value_member(d->map, field->name, &item) || is_null(item));
}

static uint32_t count_presets(const struct draft *d)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < d->table->field_count; i++)
                count += takes_preset(d, &d->table->fields[i]) ? 1 : 0;
        return count;
}

static enum err append_presets(const struct draft *d, struct buf *out)
{
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < d->table->field_count; i++) {
                const struct record_field *field = &d->table->fields[i];

                if (!takes_preset(d, field))
                        continue;
                rc = value_put_text(out, slice_str(field->name));
                if (rc == OK)
                        rc = buf_append_slice(out, field->preset);
        }
        return rc;
}

static uint32_t count_survivors(const struct draft *d)
{
        struct value_iter iter;
        struct slice name;
        struct slice item;
        uint32_t count = 0;

        if (!value_iter_init(&iter, d->map, VALUE_MAP))
                return 0;
        while (value_next_member(&iter, &name, &item))
                count += survives(d->table, name, item) ? 1 : 0;
        return count;
}

static enum err append_members(const struct draft *d, struct buf *out)
{
        struct value_iter iter;
        struct slice name;
        struct slice item;
        enum err rc = OK;

        if (!value_iter_init(&iter, d->map, VALUE_MAP))
                return ERR_INTERNAL;
        while (rc == OK && value_next_member(&iter, &name, &item)) {
                if (!survives(d->table, name, item))
                        continue;
                rc = value_put_text(out, name);
                if (rc == OK)
                        rc = value_put_canonical(out, item);
        }
        return rc;
}

/* The record with `id` before its members, if it brought none of its own, and what its table presets behind them. */
static enum err append_record(const struct draft *d, struct slice id, struct buf *out)
{
        bool add_id = d->id.len == 0;
        enum err rc = value_put_map(out, count_survivors(d) + count_presets(d) + (add_id ? 1 : 0));

        if (rc == OK && add_id)
                rc = value_put_member(out, "id", id);
        if (rc == OK)
                rc = append_members(d, out);
        return rc == OK ? append_presets(d, out) : rc;
}

/* ---- PUT ---- */

/* A random UUID, version 4 (RFC 4122, section 4.4), as text. */
enum { UUID_TEXT_SIZE = 37 };

static enum err make_uuid(enum err (*random)(void *out, size_t len), char text[UUID_TEXT_SIZE])
{
        uint8_t b[16];
        size_t at = 0;
        enum err rc = random(b, sizeof(b));

        if (rc != OK)
                return rc;
        b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
        b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
        for (size_t i = 0; i < sizeof(b); i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        text[at++] = '-';
                (void)snprintf(text + at, 3, "%02x", b[i]);
                at += 2;
        }
        return OK;
}

static enum err normalise_one(const struct record_put *put, struct buf *out, struct err_msg *msg)
{
        struct draft d = {.table = put->type->table, .place = put->type->name, .map = put->value, .msg = msg};
        enum err rc = require_map(&d);

        if (rc == OK)
                rc = take_id(&d, "id", ID_KIND_TEXT, &d.id);
        if (rc == OK && d.id.len > 0 && !slice_equal(d.id, put->id))
                rc = id_differs(&d, "id");
        if (rc == OK)
                rc = check_members(&d);
        return rc == OK ? append_record(&d, put->id, out) : rc;
}

static enum err normalise_item(const struct record_put *put, struct draft *d, struct buf *out)
{
        char uuid[UUID_TEXT_SIZE] = "";
        struct slice student;
        enum err rc = require_map(d);

        if (rc == OK)
                rc = take_id(d, "student", ID_KIND_TEXT, &student);
        if (rc == OK && student.len > 0 && !slice_equal(student, put->id))
                rc = id_differs(d, "student");
        if (rc == OK)
                rc = take_id(d, "id", ID_KIND_TEXT, &d->id);
        if (rc == OK)
                rc = check_members(d);
        if (rc == OK && d->id.len == 0)
                rc = make_uuid(put->random, uuid);
        return rc == OK ? append_record(d, slice_str(uuid), out) : rc;
}

/* Ids are distinct: a twin would silently replace the other. */
static enum err check_twin_ids(const struct record_put *put, struct slice *ids, size_t count, struct err_msg *msg)
{
        if (value_find_twin(ids, count) == NULL)
                return OK;
        return err_set(msg, ERR_BADVALUE, "%s: two records have the same id", put->type->name);
}

static enum err normalise_items(
        const struct record_put *put, struct value_iter *iter, struct slice *ids, struct buf *out, struct err_msg *msg)
{
        uint32_t count = iter->left;
        size_t id_count = 0;
        enum err rc = value_put_list(out, count);

        for (uint32_t i = 0; rc == OK && i < count; i++) {
                char place[RECORD_NAME_MAX + 16];
                struct draft d = {.table = put->type->table, .place = place, .msg = msg};

                (void)snprintf(place, sizeof(place), "%s[%u]", put->type->name, i);
                if (!value_next(iter, &d.map))
                        return ERR_INTERNAL;
                rc = normalise_item(put, &d, out);
                if (d.id.len > 0)
                        ids[id_count++] = d.id;
        }
        return rc == OK ? check_twin_ids(put, ids, id_count, msg) : rc;
}

static enum err normalise_list(const struct record_put *put, struct buf *out, struct err_msg *msg)
{
        struct value_iter iter;
        struct slice *ids;
        struct value v;
        enum err rc;

        if (!value_of(put->value, &v))
                return ERR_INTERNAL;
        if (v.kind != VALUE_LIST)
                return err_wrap(msg, record_field_wrong_kind(msg, "a list of records ([] for none)", v.kind), "%s",
                        put->type->name);
        if (!value_iter_init(&iter, put->value, VALUE_LIST))
                return ERR_INTERNAL;
        ids = vc_malloc((iter.left + 1) * sizeof(*ids));
        if (ids == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory checking %u records", iter.left);
        rc = normalise_items(put, &iter, ids, out, msg);
        vc_free(ids);
        return rc;
}

enum err record_check_writable(const struct record_type *type, struct err_msg *msg)
{
        char names[256] = "";
        size_t used = 0;

        if (type->shape != RECORD_COMPOSITE)
                return OK;
        for (uint32_t i = 0; i < type->part_count && used < sizeof(names); i++)
                used += (size_t)snprintf(
                        names + used, sizeof(names) - used, "%s%s", i == 0 ? "" : ", ", type->parts[i].type->name);
        return err_set(msg, ERR_READONLY, "%s is put together from %s; write those", type->name, names);
}

enum err record_normalise(const struct record_put *put, struct buf *out, struct err_msg *msg)
{
        size_t before = buf_len(out);
        enum err rc = ERR_INTERNAL;

        switch (put->type->shape) {
        case RECORD_ONE: rc = normalise_one(put, out, msg); break;
        case RECORD_LIST: rc = normalise_list(put, out, msg); break;
        case RECORD_COMPOSITE: rc = record_check_writable(put->type, msg); break;
        }
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

/* ---- IMPORT ---- */

static enum err take_row_ids(struct record_row *row, struct draft *d)
{
        enum id_kind id_kind = row->is_student ? row->student_kind : ID_KIND_TEXT;
        enum err rc = take_id(d, "id", id_kind, &d->id);

        if (rc == OK && d->id.len == 0)
                rc = err_set(d->msg, ERR_BADVALUE, "%s.id: is missing", d->place);
        if (rc == OK)
                rc = take_id(d, "student", row->student_kind, &d->student);
        if (rc == OK && row->is_student && d->student.len == 0)
                d->student = d->id;
        if (rc == OK && d->student.len == 0)
                rc = err_set(d->msg, ERR_BADVALUE, "%s.student: is missing", d->place);
        if (rc == OK && row->is_student && !slice_equal(d->id, d->student))
                rc = id_differs(d, "id");
        return rc;
}

enum err record_from_row(struct record_row *row, struct buf *out, struct err_msg *msg)
{
        char place[32];
        struct draft d = {.table = row->table, .place = place, .map = row->row, .msg = msg};
        size_t before = buf_len(out);
        enum err rc;

        (void)snprintf(place, sizeof(place), "rows[%u]", row->index);
        rc = require_map(&d);
        if (rc == OK)
                rc = take_row_ids(row, &d);
        if (rc == OK)
                rc = check_members(&d);
        if (rc == OK)
                rc = append_record(&d, d.id, out);
        if (rc != OK)
                buf_truncate(out, before);
        row->id = d.id;
        row->student = d.student;
        return rc;
}
