/* Record types: the hash of a definition, by which entries made by another one are told from ours. */
#include "base/buf.h"
#include "base/hash.h"
#include "database/record.h"
#include "database/type_load.h"

/* What entries hold is made by this release's rules: raised whenever they change, so that entries of an older release
 * are not ours. */
#define CODEC_VERSION "2"

/* All is written as netstrings (cr.yp.to/proto/netstrings.txt) and counts, one after the other: no two definitions have
 * the same bytes. */
static enum err put_slice(struct buf *out, struct slice text)
{
        enum err rc = buf_printf(out, "%zu:", text.len);

        return rc == OK ? buf_append_slice(out, text) : rc;
}

static enum err put(struct buf *out, const char *text)
{
        return put_slice(out, text == NULL ? SLICE_EMPTY : slice_str(text));
}

static enum err put_count(struct buf *out, uint32_t count)
{
        return buf_printf(out, "%u/", count);
}

static enum err put_filter(struct buf *out, const struct record_filter *filter)
{
        enum err rc = put(out, filter->field);

        if (rc == OK)
                rc = put_count(out, filter->test_count);
        for (uint32_t i = 0; rc == OK && i < filter->test_count; i++) {
                rc = put_count(out, (uint32_t)filter->tests[i].kind);
                if (rc == OK)
                        rc = put_slice(out, filter->tests[i].text);
        }
        return rc;
}

static enum err put_condition(struct buf *out, const struct record_condition *condition)
{
        enum err rc = put_count(out, condition->filter_count);

        for (uint32_t i = 0; rc == OK && i < condition->filter_count; i++)
                rc = put_filter(out, &condition->filters[i]);
        return rc;
}

/* ---- tables: how records of an older schema are shown depends on what has changed, and on presets ---- */

static enum err put_presets(struct buf *out, const struct record_field *field)
{
        enum err rc = put(out, field->name);

        if (rc == OK)
                rc = put_count(out, field->preset_count);
        for (uint32_t i = 0; rc == OK && i < field->preset_count; i++) {
                rc = put_condition(out, &field->presets[i].when);
                if (rc == OK)
                        rc = put_slice(out, field->presets[i].value);
        }
        return rc;
}

static enum err put_change(struct buf *out, const struct record_change *change)
{
        enum err rc = put_count(out, change->schema);

        if (rc == OK)
                rc = put_count(out, change->rename_count);
        for (uint32_t i = 0; rc == OK && i < change->rename_count; i++) {
                rc = put(out, change->renames[i].from);
                if (rc == OK)
                        rc = put(out, change->renames[i].to);
        }
        return rc;
}

static enum err put_relations(struct buf *out, const struct record_table *table)
{
        enum err rc = put_count(out, table->relation_count);

        for (uint32_t i = 0; rc == OK && i < table->relation_count; i++) {
                const struct record_relation *relation = &table->relations[i];

                rc = put(out, relation->name);
                if (rc == OK)
                        rc = put(out, relation->subject);
                if (rc == OK)
                        rc = put(out, relation->column);
        }
        return rc;
}

enum err record_table_def(const struct record_table *table, struct buf *out)
{
        enum err rc = put(out, table->name);

        if (rc == OK)
                rc = buf_printf(out, "%u/%u/%u/", table->schema, table->field_count, table->change_count);
        for (uint32_t i = 0; rc == OK && i < table->field_count; i++)
                rc = put_presets(out, &table->fields[i]);
        for (uint32_t i = 0; rc == OK && i < table->change_count; i++)
                rc = put_change(out, &table->changes[i]);
        return rc == OK ? put_relations(out, table) : rc;
}

/* ---- types ---- */

static enum err put_part(struct buf *out, const struct record_part *part)
{
        enum err rc = put(out, part->name);

        if (rc == OK)
                rc = buf_printf(out, "%016llx/%u/", (unsigned long long)part->type->def, part->limit);
        return rc == OK ? put_condition(out, &part->where) : rc;
}

/* The words too: their ranks are the order. */
static enum err put_order(struct buf *out, const struct record_field *field)
{
        enum err rc = put(out, field->name);

        for (size_t i = 0; rc == OK && field->words != NULL && field->words[i] != NULL; i++)
                rc = put(out, field->words[i]);
        return rc;
}

/* The SQL, and what else it is that an entry says: whether there is such an id. */
static enum err put_source(struct buf *out, const struct record_type *type, const struct record_subject *subject)
{
        enum err rc = put(out, type->fetch.text);

        if (rc == OK)
                rc = put(out, subject->name);
        return rc == OK ? put(out, subject->exists.text) : rc;
}

static enum err put_definition(struct buf *out, const struct record_type *type)
{
        enum err rc = put(out, CODEC_VERSION);

        if (rc == OK)
                rc = put(out, type->name);
        for (uint32_t i = 0; rc == OK && i < type->order_count; i++)
                rc = put_order(out, type->order[i]);
        if (rc == OK)
                rc = put_condition(out, &type->where);
        if (rc == OK)
                rc = buf_printf(
                        out, "%d/%d/%u/%u/", (int)type->shape, (int)type->id_kind, type->read_count, type->part_count);
        for (uint32_t i = 0; rc == OK && i < type->read_count; i++)
                rc = record_table_def(type->reads[i], out);
        for (uint32_t i = 0; rc == OK && i < type->part_count; i++)
                rc = put_part(out, &type->parts[i]);
        return rc;
}

/* The hash has no seed: nodes that share entries must come to the same one. */
enum err type_load_hash(const struct type_load *load, struct record_type *type)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = put_definition(&text, type);
        if (rc == OK)
                rc = put_source(&text, type, type->subject == NULL ? &load->types->subjects[0] : type->subject);
        if (rc == OK)
                type->def = hash64(buf_slice(&text), 0);
        buf_deinit(&text);
        return rc == OK ? OK : type_load_no_memory(load);
}
