/* The normal form of one record, made in one pass.
 *
 * Rows of an import pass here one by one, so the pass is built to do little: a field is found by a hash of its name,
 * and members that have their normal bytes already (nearly all have, importers write them so) are copied as they stand,
 * a run of neighbours at a time. Only what is not in its shortest form is written anew. */
#include "database/record_draft.h"

#include "database/record.h"
#include "database/record_field.h"

/* The bytes that go into the normal form. */
struct pass {
        struct buf *out;
        struct slice run; /* members seen and not yet appended: neighbours in the source, in normal form */
        uint32_t count;   /* of members, those in `run` among them */
};

static enum err flush(struct pass *pass)
{
        enum err rc = buf_append_slice(pass->out, pass->run);

        pass->run = SLICE_EMPTY;
        return rc;
}

struct member {
        struct slice name;
        struct slice item;
        struct slice whole; /* name and item together */
        struct value head;  /* of the item */
};

static enum err keep(struct pass *pass, const struct member *member)
{
        enum err rc = OK;

        pass->count++;
        if (value_is_canonical(member->whole)) {
                bool follows = pass->run.len > 0 && pass->run.data + pass->run.len == member->whole.data;

                if (!follows)
                        rc = flush(pass);
                if (!follows)
                        pass->run.data = member->whole.data;
                pass->run.len += member->whole.len;
                return rc;
        }
        rc = flush(pass);
        if (rc == OK)
                rc = value_put_text(pass->out, member->name);
        return rc == OK ? value_put_canonical(pass->out, member->item) : rc;
}

/* ---- refusals ---- */

enum err record_draft_refuse(struct record_draft *d, enum reject_reason reason, const char *field)
{
        d->reject = reject_of(reason, field);
        return ERR_BADVALUE;
}

static enum err refuse_missing(struct record_draft *d, const char *field)
{
        (void)err_set(d->msg, ERR_BADVALUE, "is missing");
        return record_draft_refuse(d, REJECT_MISSING, field);
}

/* ---- members ---- */

static enum err take_id(
        struct record_draft *d, const struct member *member, const char *name, enum id_kind kind, struct slice *id)
{
        enum err rc;

        if (member->head.kind == VALUE_NIL)
                return OK;
        if (member->head.kind != VALUE_TEXT) {
                (void)record_field_wrong_kind(d->msg, "text", member->head.kind);
                return record_draft_refuse(d, REJECT_KIND, name);
        }
        rc = record_id_check(kind, member->head.as.text, d->msg);
        if (rc != OK)
                return rc == ERR_BADKEY ? record_draft_refuse(d, REJECT_ID, name) : rc;
        *id = member->head.as.text;
        return OK;
}

static enum err take_original(struct record_draft *d, const struct record_field *field, const struct member *member)
{
        if (!d->takes_original) {
                (void)err_set(d->msg, ERR_BADVALUE, "comes with an IMPORT; a PUT cannot bring it");
                return record_draft_refuse(d, REJECT_VALUE, field->name);
        }
        d->original = member->head.as.text;
        return OK;
}

/* A declared field; null is as good as nothing. */
static enum err take_field(
        struct record_draft *d, struct pass *pass, const struct record_field *field, const struct member *member)
{
        enum reject_reason reason;
        enum err rc;

        if (member->head.kind == VALUE_NIL)
                return OK;
        rc = record_field_check(field, &member->head, d->student_ids, &reason, d->msg);
        if (rc != OK)
                return rc == ERR_BADVALUE ? record_draft_refuse(d, reason, field->name) : rc;
        if (field->kind == FIELD_ORIGINAL)
                return take_original(d, field, member);
        if (strcmp(field->name, "id") == 0)
                rc = take_id(d, member, "id", d->record_ids, &d->id);
        d->items[field - d->table->fields] = member->item;
        return rc == OK ? keep(pass, member) : rc;
}

static enum err take_member(struct record_draft *d, struct pass *pass, const struct member *member)
{
        const struct record_field *field;

        if (slice_equal(member->name, slice_str("student")))
                return take_id(d, member, "student", d->student_ids, &d->student);
        field = record_field_find(d->table, member->name);
        return field == NULL ? keep(pass, member) : take_field(d, pass, field, member);
}

static enum err take_members(struct record_draft *d, struct pass *pass)
{
        struct value_iter iter;
        struct member member;
        enum err rc = OK;

        if (!value_iter_init(&iter, d->map, VALUE_MAP))
                return ERR_INTERNAL;
        while (rc == OK && iter.left > 0) {
                const uint8_t *start = iter.at.at;

                if (!value_next_member(&iter, &member.name, &member.item) || !value_of(member.item, &member.head))
                        return ERR_INTERNAL;
                member.whole = slice_of(start, (size_t)(iter.at.at - start));
                rc = take_member(d, pass, &member);
        }
        return rc == OK ? flush(pass) : rc;
}

/* ---- the whole ---- */

static enum err check_required(struct record_draft *d)
{
        if (d->id.len == 0 && d->fallback_id.len == 0)
                return refuse_missing(d, "id");
        for (uint32_t i = 0; i < d->table->field_count; i++) {
                const struct record_field *field = &d->table->fields[i];

                if (field->required && d->items[i].data == NULL && strcmp(field->name, "id") != 0)
                        return refuse_missing(d, field->name);
        }
        return OK;
}

static const struct record_preset *preset_of(const struct record_field *field, const struct slice *items)
{
        for (uint32_t i = 0; i < field->preset_count; i++)
                if (record_condition_unmet(&field->presets[i].when, items) == NULL)
                        return &field->presets[i];
        return NULL;
}

enum err record_draft_presets(const struct record_table *table, struct slice *items, struct buf *out, uint32_t *count)
{
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < table->field_count; i++) {
                const struct record_field *field = &table->fields[i];
                const struct record_preset *preset;

                if (field->preset_count == 0 || items[i].data != NULL)
                        continue;
                preset = preset_of(field, items);
                if (preset == NULL)
                        continue;
                items[i] = preset->value;
                rc = value_put_text(out, slice_str(field->name));
                if (rc == OK)
                        rc = buf_append_slice(out, preset->value);
                (*count)++;
        }
        return rc;
}

static enum err check_refusals(struct record_draft *d)
{
        for (uint32_t i = 0; i < d->table->refusal_count; i++) {
                const struct record_refusal *refusal = &d->table->refusals[i];

                if (record_condition_unmet(&refusal->when, d->items) != NULL)
                        continue;
                (void)err_set(d->msg, ERR_BADVALUE, "%s", refusal->because);
                return record_draft_refuse(d, REJECT_CONTRADICTION, refusal->when.filters[0].field);
        }
        return OK;
}

static enum err require_map(struct record_draft *d)
{
        struct value v;

        if (!value_of(d->map, &v))
                return ERR_INTERNAL;
        if (v.kind == VALUE_MAP)
                return OK;
        (void)record_field_wrong_kind(d->msg, "a map", v.kind);
        return record_draft_refuse(d, REJECT_KIND, NULL);
}

/* The id stands before the members of a record that brought none. */
static enum err append_members(struct record_draft *d, struct pass *pass)
{
        enum err rc = OK;

        if (d->fallback_id.len > 0) {
                rc = value_put_member(pass->out, "id", d->fallback_id);
                pass->count++;
        }
        if (rc == OK)
                rc = take_members(d, pass);
        if (rc == OK)
                rc = check_required(d);
        if (rc == OK)
                rc = record_draft_presets(d->table, d->items, pass->out, &pass->count);
        return rc == OK ? check_refusals(d) : rc;
}

enum err record_draft_append(struct record_draft *d, struct buf *out)
{
        struct pass pass = {.out = out};
        size_t mark;
        enum err rc = require_map(d);

        d->id = d->student = d->original = SLICE_EMPTY;
        memset(d->items, 0, d->table->field_count * sizeof(d->items[0]));
        if (rc == OK)
                rc = value_open_map(out, &mark);
        if (rc == OK)
                rc = append_members(d, &pass);
        if (rc == OK)
                value_close_map(out, mark, pass.count);
        return rc;
}
