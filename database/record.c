#include "database/record.h"

#include "base/mem.h"
#include "database/record_draft.h"
#include "database/record_field.h"

#include <stdio.h>

/* Puts the place before the message of a refused record: `allergies[2].severity: …`. */
static enum err name_place(const struct record_draft *d, const char *place, enum err rc)
{
        if (rc != ERR_BADVALUE)
                return rc;
        return err_wrap(d->msg, rc, "%s%s%s", place, d->reject.field[0] == '\0' ? "" : ".", d->reject.field);
}

/* As all messages here: what would be right, never the value, which would travel into the logs. */
static enum err id_differs(struct record_draft *d, const char *name)
{
        (void)err_set(d->msg, ERR_BADVALUE, "another student's id than the one whose record this is");
        return record_draft_refuse(d, REJECT_ID, name);
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

static bool brings_id(struct slice map)
{
        struct slice item;

        return value_member(map, "id", &item) && !value_is_nil(item);
}

/* What a PUT brings may stand where its type shows it, and nowhere else. */
static enum err check_shown(const struct record_put *put, struct record_draft *d)
{
        const struct record_filter *unmet = record_condition_unmet(&put->type->where, d->items);

        if (unmet == NULL)
                return OK;
        (void)err_set(d->msg, ERR_BADVALUE, "%s shows no records with this value", put->type->name);
        return record_draft_refuse(d, REJECT_CONTRADICTION, unmet->field);
}

static void begin_put(const struct record_put *put, struct record_draft *d, struct slice map, struct err_msg *msg)
{
        d->table = put->type->table;
        d->map = map;
        d->fallback_id = SLICE_EMPTY;
        d->record_ids = ID_KIND_TEXT;
        d->student_ids = put->type->id_kind;
        d->takes_original = false;
        d->msg = msg;
}

static enum err normalise_one(const struct record_put *put, struct buf *out, struct err_msg *msg)
{
        struct record_draft d;
        enum err rc;

        begin_put(put, &d, put->value, msg);
        if (!brings_id(put->value))
                d.fallback_id = put->id;
        rc = record_draft_append(&d, out);
        if (rc == OK && d.id.len > 0 && !slice_equal(d.id, put->id))
                rc = id_differs(&d, "id");
        return name_place(&d, put->type->name, rc);
}

static enum err normalise_item(const struct record_put *put, struct record_draft *d, struct buf *out)
{
        char uuid[UUID_TEXT_SIZE] = "";
        enum err rc = OK;

        if (!brings_id(d->map)) {
                rc = make_uuid(put->random, uuid);
                d->fallback_id = slice_str(uuid);
        }
        if (rc == OK)
                rc = record_draft_append(d, out);
        if (rc == OK && d->student.len > 0 && !slice_equal(d->student, put->id))
                rc = id_differs(d, "student");
        return rc == OK ? check_shown(put, d) : rc;
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
                struct record_draft d;
                struct slice map;

                (void)snprintf(place, sizeof(place), "%s[%u]", put->type->name, i);
                if (!value_next(iter, &map))
                        return ERR_INTERNAL;
                begin_put(put, &d, map, msg);
                rc = name_place(&d, place, normalise_item(put, &d, out));
                if (rc == OK && d.id.len > 0)
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

static enum err check_row_ids(const struct record_row *row, struct record_draft *d)
{
        if (row->is_student && d->student.len == 0)
                d->student = d->id;
        if (d->student.len == 0) {
                (void)err_set(d->msg, ERR_BADVALUE, "is missing");
                return record_draft_refuse(d, REJECT_MISSING, "student");
        }
        return row->is_student && !slice_equal(d->id, d->student) ? id_differs(d, "id") : OK;
}

/* The place is written for a row that is refused only: most are not. */
static enum err refuse_row(struct record_row *row, const struct record_draft *d, enum err rc)
{
        char place[32];

        (void)snprintf(place, sizeof(place), "rows[%u]", row->index);
        row->reject = d->reject;
        return name_place(d, place, rc);
}

enum err record_from_row(struct record_row *row, struct buf *out, struct err_msg *msg)
{
        size_t before = buf_len(out);
        struct record_draft d;
        enum err rc;

        d.table = row->table;
        d.map = row->row;
        d.fallback_id = SLICE_EMPTY;
        d.record_ids = row->is_student ? row->student_kind : ID_KIND_TEXT;
        d.student_ids = row->student_kind;
        d.takes_original = true;
        d.msg = msg;
        rc = record_draft_append(&d, out);
        if (rc == OK)
                rc = check_row_ids(row, &d);
        if (rc != OK)
                buf_truncate(out, before);
        row->id = d.id;
        row->student = d.student;
        row->original = d.original;
        return rc == ERR_BADVALUE ? refuse_row(row, &d, rc) : rc;
}
