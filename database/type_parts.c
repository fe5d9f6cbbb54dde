/* Record types, the last part: what can be said of a type when all are there: a composite's parts, the tables that its
 * entries depend on. */
#include "base/suggest.h"
#include "base/yaml_get.h"
#include "database/type_load.h"
#include "database/type_tags.h"

#include <stdio.h>

enum { LIMIT_MAX = 1000000 };

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

static enum err read_part(const struct type_load *load, const struct yaml_node *node, const struct record_type *whole,
        struct record_part *part)
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
        if (rc == OK && part->type->subject != whole->subject)
                rc = yaml_error(type, load->msg, "the keys of %s are of another kind of thing than those of %s",
                        type->text, whole->name);
        if (rc == OK && part->type->shape != RECORD_LIST && (where != NULL || limit != NULL))
                rc = yaml_error(where != NULL ? where : limit, load->msg,
                        "%s is a single record; where and limit are for lists", type->text);
        if (rc == OK && where != NULL)
                rc = type_load_condition(load, where, part->type->table, &part->where);
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
                rc = read_part(load, item, type, &parts[type->part_count++]);
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

/* `student:{student}/TABLE`, or the type's other subject twice: a write to that table makes the type's entries stale,
 * too. */
static enum err read_tag(const struct type_load *load, const struct yaml_node *node, const struct record_type *type,
        const struct record_table **out)
{
        const char *subject = type->subject == NULL ? TYPE_STUDENT : type->subject->name;
        char prefix[2 * RECORD_NAME_MAX + 8];
        struct yaml_node name = *node;
        const char *text;
        int len = snprintf(prefix, sizeof(prefix), "%s:{%s}/", subject, subject);
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc != OK)
                return rc;
        if (strncmp(text, prefix, (size_t)len) != 0)
                return yaml_error(node, load->msg,
                        "\"%.64s\" is no tag to declare; write %sTABLE (%.*s and wider ones are implied)", text, prefix,
                        len - 1, prefix);
        name.text = text + len;
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
                rc = read_tag(load, item, type, &table);
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
        if (type->subject == NULL)
                add_read(reads, &type->read_count, types->students);
        else if (type->subject->table != NULL)
                add_read(reads, &type->read_count, type->subject->table);
        if (type->table != NULL)
                add_read(reads, &type->read_count, type->table);
        for (uint32_t i = 0; i < type->part_count; i++)
                add_read(reads, &type->read_count, type->parts[i].type->table);
        type->reads = reads;
        return tags == NULL ? OK : read_tags(load, tags, type, reads);
}

static enum err make_tag_words(struct type_load *load, struct record_type *type)
{
        uint64_t *words = arena_array(&load->types->arena, type_tag_count(type), sizeof(*words));

        if (words == NULL)
                return type_load_no_memory(load);
        type_tag_words(type, words);
        type->tag_words = words;
        return OK;
}

enum err type_load_finish(struct type_load *load, uint32_t index)
{
        struct record_type *type = &load->types->types[index];
        enum err rc = OK;

        if (type->shape == RECORD_COMPOSITE)
                rc = read_parts(load, index);
        if (rc == OK)
                rc = read_reads(load, index);
        if (rc == OK)
                rc = make_tag_words(load, type);
        return rc == OK ? type_load_hash(load, type) : rc;
}
