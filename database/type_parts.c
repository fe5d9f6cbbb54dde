/* Record types, the last part: what can be said of a type when all are there: a composite's parts, the tables that its
 * entries depend on, its definition's hash. */
#include "base/buf.h"
#include "base/hash.h"
#include "base/suggest.h"
#include "base/yaml_get.h"
#include "database/type_load.h"

enum { LIMIT_MAX = 1000000 };

/* What entries hold is made by this release's rules: raised whenever they change, so that entries of an older release
 * are not ours. */
#define CODEC_VERSION "1"

/* ---- conditions ---- */

static const char *word_of(const struct record_field *field, const char *text)
{
        for (size_t i = 0; field->words[i] != NULL; i++)
                if (strcmp(field->words[i], text) == 0)
                        return field->words[i];
        return NULL;
}

static enum err read_filter(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_filter *filter)
{
        static const enum field_kind kinds[2] = {FIELD_WORD, FIELD_BOOL};
        const struct record_field *field;
        uint32_t rank;
        enum err rc = type_load_field(load, node->key, table, kinds, &field);

        if (rc != OK)
                return rc;
        filter->field = field->name;
        if (field->kind == FIELD_BOOL)
                return yaml_bool(node, &filter->flag, load->msg);
        rc = yaml_word(node, field->words, &rank, load->msg);
        if (rc == OK)
                filter->word = word_of(field, node->text);
        return rc;
}

static enum err read_where(const struct type_load *load, const struct yaml_node *node, struct record_part *part)
{
        struct record_filter *filters;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of fields and their values", load->msg);

        if (rc != OK)
                return rc;
        filters = arena_array(&load->types->arena, node->count, sizeof(*filters));
        if (filters == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_filter(load, item, part->type->table, &filters[part->filter_count++]);
        part->filters = filters;
        return rc;
}

/* ---- parts ---- */

static enum err find_part_type(
        const struct type_load *load, const struct yaml_node *node, const struct record_type **out)
{
        const char *name;
        struct suggest suggest;
        enum err rc = yaml_text(node, &name, load->msg);

        if (rc != OK)
                return rc;
        *out = record_types_find(load->types, slice_str(name));
        if (*out != NULL && (*out)->shape == RECORD_COMPOSITE)
                return yaml_error(node, load->msg, "%s is a composite; a part cannot be one", name);
        if (*out != NULL)
                return OK;
        suggest_init(&suggest, slice_str(name));
        for (uint32_t i = 0; i < load->types->type_count; i++)
                suggest_offer(&suggest, slice_str(load->types->types[i].name));
        return suggest_append(&suggest, yaml_error(node, load->msg, "there is no type \"%s\"", name), load->msg);
}

static enum err read_part(const struct type_load *load, const struct yaml_node *node, struct record_part *part)
{
        const struct yaml_node *type = yaml_find(node, "type");
        const struct yaml_node *where = yaml_find(node, "where");
        const struct yaml_node *limit = yaml_find(node, "limit");
        uint64_t number = 0;
        enum err rc = type_load_map(load, node, TYPE_LEVEL_PART, "a map with the part's type");

        if (rc == OK && type == NULL)
                rc = yaml_error(node, load->msg, "the part %s has no type", node->key->text);
        if (rc == OK)
                rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);
        if (rc == OK)
                rc = find_part_type(load, type, &part->type);
        if (rc == OK && part->type->shape != RECORD_LIST && (where != NULL || limit != NULL))
                rc = yaml_error(where != NULL ? where : limit, load->msg,
                        "%s is a single record; where and limit are for lists", type->text);
        if (rc == OK && where != NULL)
                rc = read_where(load, where, part);
        if (rc == OK && limit != NULL)
                rc = yaml_quantity(limit, (struct yaml_range){QUANTITY_NUMBER, 1, LIMIT_MAX}, &number, load->msg);
        if (rc != OK)
                return rc;
        part->limit = (uint32_t)number;
        part->name = arena_text(&load->types->arena, slice_str(node->key->text));
        return part->name == NULL ? type_load_no_memory(load) : OK;
}

static enum err read_parts(struct type_load *load, uint32_t index)
{
        const struct yaml_node *node = yaml_find(load->type_nodes[index], "parts");
        struct record_type *type = &load->types->types[index];
        struct record_part *parts;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of parts", load->msg);

        if (rc != OK)
                return rc;
        if (node->count == 0 || node->count > RECORD_PARTS_MAX)
                return yaml_error(node, load->msg, "%s has %u parts; it must have 1 to %d", type->name, node->count,
                        RECORD_PARTS_MAX);
        parts = arena_array(&load->types->arena, node->count, sizeof(*parts));
        if (parts == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_part(load, item, &parts[type->part_count++]);
        type->parts = parts;
        return rc;
}

/* ---- what its entries depend on ---- */

static void add_read(const struct record_table **reads, uint32_t *count, const struct record_table *table)
{
        for (uint32_t i = 0; i < *count; i++)
                if (reads[i] == table)
                        return;
        reads[(*count)++] = table;
}

/* `student:{student}/TABLE`: a write to that table makes the type's entries stale, too. */
static enum err read_tag(const struct type_load *load, const struct yaml_node *node, const struct record_table **out)
{
        static const char prefix[] = "student:" TYPE_STUDENT_ID "/";
        struct yaml_node name = *node;
        const char *text;
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc != OK)
                return rc;
        if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
                return yaml_error(node, load->msg,
                        "\"%.64s\" is no tag to declare; write %sTABLE (%s and wider ones are implied)", text, prefix,
                        "student:" TYPE_STUDENT_ID);
        name.text = text + sizeof(prefix) - 1;
        return type_load_find_table(load, &name, out);
}

static enum err read_tags(const struct type_load *load, const struct yaml_node *node, struct record_type *type,
        const struct record_table **reads)
{
        const struct record_table *table;
        enum err rc = yaml_expect(node, YAML_LIST, "a list of tags", load->msg);

        if (rc != OK)
                return rc;
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next) {
                rc = read_tag(load, item, &table);
                if (rc == OK)
                        add_read(reads, &type->read_count, table);
        }
        return rc;
}

static enum err read_reads(struct type_load *load, uint32_t index)
{
        struct record_types *types = load->types;
        struct record_type *type = &types->types[index];
        const struct yaml_node *tags = yaml_find(load->type_nodes[index], "tags");
        const struct record_table **reads = arena_array(&types->arena, types->table_count, sizeof(*reads));

        if (reads == NULL)
                return type_load_no_memory(load);
        add_read(reads, &type->read_count, types->students);
        if (type->table != NULL)
                add_read(reads, &type->read_count, type->table);
        for (uint32_t i = 0; i < type->part_count; i++)
                add_read(reads, &type->read_count, type->parts[i].type->table);
        type->reads = reads;
        return tags == NULL ? OK : read_tags(load, tags, type, reads);
}

/* ---- the definition's hash ---- */

static enum err put(struct buf *out, const char *text)
{
        return buf_printf(out, "%zu:%s,", text == NULL ? 0 : strlen(text), text == NULL ? "" : text);
}

static enum err put_part(struct buf *out, const struct record_part *part)
{
        enum err rc = put(out, part->name);

        if (rc == OK)
                rc = buf_printf(out, "%016llx/%u/", (unsigned long long)part->type->def, part->limit);
        for (uint32_t i = 0; rc == OK && i < part->filter_count; i++) {
                rc = put(out, part->filters[i].field);
                if (rc == OK)
                        rc = put(out, part->filters[i].word);
                if (rc == OK)
                        rc = put(out, part->filters[i].flag ? "true" : "false");
        }
        return rc;
}

/* Netstrings (cr.yp.to/proto/netstrings.txt), one after the other: no two definitions have the same bytes. */
static enum err put_definition(struct buf *out, const struct record_type *type)
{
        enum err rc = put(out, CODEC_VERSION);

        if (rc == OK)
                rc = put(out, type->name);
        if (rc == OK)
                rc = put(out, type->order_field);
        if (rc == OK)
                rc = buf_printf(
                        out, "%d/%d/%u/%u/", (int)type->shape, (int)type->id_kind, type->read_count, type->part_count);
        for (uint32_t i = 0; rc == OK && i < type->read_count; i++) {
                rc = put(out, type->reads[i]->name);
                if (rc == OK)
                        rc = buf_printf(out, "%u/", type->reads[i]->schema);
        }
        for (uint32_t i = 0; rc == OK && i < type->part_count; i++)
                rc = put_part(out, &type->parts[i]);
        return rc;
}

/* The hash has no seed: nodes that share entries must come to the same one. */
static enum err hash_definition(const struct type_load *load, struct record_type *type)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = put_definition(&text, type);
        if (rc == OK)
                type->def = hash64(buf_slice(&text), 0);
        buf_deinit(&text);
        return rc == OK ? OK : type_load_no_memory(load);
}

enum err type_load_finish(struct type_load *load, uint32_t index)
{
        struct record_type *type = &load->types->types[index];
        enum err rc = OK;

        if (type->shape == RECORD_COMPOSITE)
                rc = read_parts(load, index);
        if (rc == OK)
                rc = read_reads(load, index);
        return rc == OK ? hash_definition(load, type) : rc;
}
