/* Record types, the first part: tables and their fields. */
#include "base/mem.h"
#include "base/suggest.h"
#include "base/yaml_get.h"
#include "database/type_load.h"
#include "database/value.h"

enum { FIELDS_MAX = 256, WORDS_MAX = 64, SCHEMA_MAX = 65535 };

static const char *const FIELD_KINDS[] = {
        [FIELD_TEXT] = "text",
        [FIELD_WORD] = "word",
        [FIELD_DATE] = "date",
        [FIELD_INSTANT] = "instant",
        [FIELD_BOOL] = "bool",
        [FIELD_INT] = "int",
        [FIELD_ANY] = "any",
        [FIELD_ANY + 1] = NULL,
};

/* ---- words ---- */

static enum err read_word(
        const struct type_load *load, const struct yaml_node *node, const char **words, uint32_t count)
{
        const char *text;
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc != OK)
                return rc;
        for (uint32_t i = 0; i < count; i++)
                if (strcmp(words[i], text) == 0)
                        return yaml_error(node, load->msg, "the word \"%s\" is here twice", text);
        words[count] = arena_text(&load->types->arena, slice_str(text));
        return words[count] == NULL ? type_load_no_memory(load) : OK;
}

static enum err read_words(const struct type_load *load, const struct yaml_node *node, struct record_field *field)
{
        const char **words;
        uint32_t count = 0;
        enum err rc = yaml_expect(node, YAML_LIST, "a list of words, the lowest rank first", load->msg);

        if (rc != OK)
                return rc;
        if (node->count == 0 || node->count > WORDS_MAX)
                return yaml_error(node, load->msg, "words has %u words; it must have 1 to %d", node->count, WORDS_MAX);
        words = arena_array(&load->types->arena, node->count + 1, sizeof(*words));
        if (words == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_word(load, item, words, count++);
        field->words = words;
        return rc;
}

/* ---- presets ---- */

static enum err read_preset_word(
        const struct type_load *load, const struct yaml_node *node, const struct record_field *field, struct buf *out)
{
        uint32_t rank;
        enum err rc = yaml_word(node, field->words, &rank, load->msg);

        return rc == OK ? value_put_text(out, slice_str(field->words[rank])) : rc;
}

static enum err read_preset_flag(const struct type_load *load, const struct yaml_node *node, struct buf *out)
{
        bool flag;
        enum err rc = yaml_bool(node, &flag, load->msg);

        return rc == OK ? value_put_bool(out, flag) : rc;
}

/* Kept as msgpack: ready to be put into a record. */
static enum err read_preset(const struct type_load *load, const struct yaml_node *node, struct record_field *field)
{
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        if (field->kind == FIELD_WORD && field->words != NULL)
                rc = read_preset_word(load, node, field, &value);
        else if (field->kind == FIELD_BOOL)
                rc = read_preset_flag(load, node, &value);
        else
                rc = yaml_error(node, load->msg, "only a field of kind word or bool has a preset");
        if (rc == OK) {
                field->preset = slice_of(arena_text(&load->types->arena, buf_slice(&value)), buf_len(&value));
                rc = field->preset.data == NULL ? ERR_NOMEM : OK;
        }
        buf_deinit(&value);
        return rc == ERR_NOMEM ? type_load_no_memory(load) : rc;
}

/* ---- fields ---- */

static enum err read_kind(const struct type_load *load, const struct yaml_node *node, struct record_field *field)
{
        uint32_t kind = FIELD_TEXT;
        enum err rc = yaml_word(node, FIELD_KINDS, &kind, load->msg);

        field->kind = (enum field_kind)kind;
        return rc;
}

static enum err read_field_map(const struct type_load *load, const struct yaml_node *node, struct record_field *field)
{
        const struct yaml_node *kind = yaml_find(node, "kind");
        const struct yaml_node *words = yaml_find(node, "words");
        const struct yaml_node *required = yaml_find(node, "required");
        const struct yaml_node *preset = yaml_find(node, "preset");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_FIELD, "a kind such as text, or a map with it");

        if (rc == OK && kind == NULL)
                rc = yaml_error(node, load->msg, "the field %s has no kind", field->name);
        if (rc == OK)
                rc = read_kind(load, kind, field);
        if (rc == OK && words != NULL && field->kind != FIELD_WORD)
                rc = yaml_error(words, load->msg, "only a field of kind word has words");
        if (rc == OK && words != NULL)
                rc = read_words(load, words, field);
        if (rc == OK && required != NULL)
                rc = yaml_bool(required, &field->required, load->msg);
        if (rc == OK && preset != NULL)
                rc = read_preset(load, preset, field);
        return rc;
}

/* `name: kind` is short for `name: {kind: kind}`. */
static enum err read_field(const struct type_load *load, const struct yaml_node *node, struct record_field *field)
{
        enum err rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);

        if (rc != OK)
                return rc;
        if (strcmp(node->key->text, "student") == 0)
                return yaml_error(
                        node->key, load->msg, "a field cannot be called student: whose record it is, the key says");
        field->name = arena_text(&load->types->arena, slice_str(node->key->text));
        if (field->name == NULL)
                return type_load_no_memory(load);
        rc = node->kind == YAML_SCALAR ? read_kind(load, node, field) : read_field_map(load, node, field);
        if (rc == OK && field->kind == FIELD_WORD && field->words == NULL)
                rc = yaml_error(node, load->msg, "the field %s is a word, but has no words", field->name);
        if (rc == OK && strcmp(field->name, "id") == 0 && field->kind != FIELD_TEXT)
                rc = yaml_error(node, load->msg, "the field id must be text");
        return rc;
}

/* The declared fields, with `id` before them when it is not one of them. */
static enum err read_fields(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        struct record_field *fields;
        uint32_t count = 0;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of fields", load->msg);

        if (rc != OK)
                return rc;
        if (node->count > FIELDS_MAX)
                return yaml_error(node, load->msg, "a table can have %d fields", FIELDS_MAX);
        fields = arena_array(&load->types->arena, node->count + 1, sizeof(*fields));
        if (fields == NULL)
                return type_load_no_memory(load);
        if (yaml_find(node, "id") == NULL)
                fields[count++] = (struct record_field){.name = "id", .kind = FIELD_TEXT};
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_field(load, item, &fields[count++]);
        for (uint32_t i = 0; i < count; i++)
                fields[i].required = fields[i].required || (rc == OK && strcmp(fields[i].name, "id") == 0);
        table->fields = fields;
        table->field_count = count;
        return rc;
}

static enum err no_field(
        const struct type_load *load, const struct yaml_node *node, const struct record_table *table, const char *name)
{
        struct suggest suggest;

        suggest_init(&suggest, slice_str(name));
        for (uint32_t i = 0; i < table->field_count; i++)
                suggest_offer(&suggest, slice_str(table->fields[i].name));
        return suggest_append(&suggest,
                yaml_error(node, load->msg, "the table %s has no field \"%s\"", table->name, name), load->msg);
}

enum err type_load_field(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        const enum field_kind kinds[2], const struct record_field **out)
{
        const char *name;
        enum err rc = yaml_text(node, &name, load->msg);

        *out = NULL;
        for (uint32_t i = 0; rc == OK && i < table->field_count; i++)
                if (strcmp(table->fields[i].name, name) == 0)
                        *out = &table->fields[i];
        if (rc != OK)
                return rc;
        if (*out == NULL)
                return no_field(load, node, table, name);
        if ((*out)->kind != kinds[0] && (*out)->kind != kinds[1])
                return yaml_error(node, load->msg, "%s is of kind %s; it must be a %s%s%s field", name,
                        FIELD_KINDS[(*out)->kind], FIELD_KINDS[kinds[0]], kinds[0] == kinds[1] ? "" : " or ",
                        kinds[0] == kinds[1] ? "" : FIELD_KINDS[kinds[1]]);
        return OK;
}

/* ---- tables ---- */

/* The index field that the table's key `name` names, if it does. */
static enum err read_index_field(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const enum field_kind kinds[2], const char **out)
{
        const struct record_field *field;
        enum err rc;

        if (node == NULL)
                return OK;
        rc = type_load_field(load, node, table, kinds, &field);
        if (rc == OK)
                *out = field->name;
        return rc;
}

static enum err read_indexes(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        static const enum field_kind times[2] = {FIELD_DATE, FIELD_INSTANT};
        static const enum field_kind words[2] = {FIELD_WORD, FIELD_WORD};
        const struct yaml_node *severity = yaml_find(node, "severity");
        const struct yaml_node *status = yaml_find(node, "status");
        enum err rc = read_index_field(load, yaml_find(node, "activity"), table, times, &table->activity_field);

        if (rc == OK)
                rc = read_index_field(load, severity, table, words, &table->severity_field);
        if (rc == OK)
                rc = read_index_field(load, status, table, words, &table->status_field);
        if (rc == OK && (severity == NULL) != (status == NULL))
                rc = yaml_error(severity == NULL ? status : severity, load->msg,
                        "severity and status are one index: both or neither");
        return rc;
}

static enum err read_table(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        const struct yaml_node *fields = yaml_find(node, "fields");
        const struct yaml_node *schema = yaml_find(node, "schema");
        uint64_t number = 0;
        enum err rc = type_load_map(load, node, TYPE_LEVEL_TABLE, "a map with schema and fields");

        if (rc == OK && (fields == NULL || schema == NULL))
                rc = yaml_error(
                        node, load->msg, "the table %s has no %s", table->name, schema == NULL ? "schema" : "fields");
        if (rc == OK)
                rc = yaml_quantity(schema, (struct yaml_range){QUANTITY_NUMBER, 1, SCHEMA_MAX}, &number, load->msg);
        if (rc == OK)
                rc = read_fields(load, fields, table);
        table->schema = (uint32_t)number;
        return rc == OK ? read_indexes(load, node, table) : rc;
}

static enum err add_table(struct type_load *load, const struct yaml_node *node)
{
        struct record_types *types = load->types;
        struct record_table *table = &types->tables[types->table_count];
        enum err rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);

        if (rc != OK)
                return rc;
        if (types->table_count == RECORD_TABLES_MAX)
                return yaml_error(node->key, load->msg, "there can be %d tables", RECORD_TABLES_MAX);
        if (record_types_table(types, slice_str(node->key->text)) != NULL)
                return yaml_error(node->key, load->msg, "another file has the table \"%s\", too", node->key->text);
        *table = (struct record_table){.index = types->table_count};
        table->name = arena_text(&types->arena, slice_str(node->key->text));
        if (table->name == NULL)
                return type_load_no_memory(load);
        rc = read_table(load, node, table);
        if (rc == OK)
                types->table_list[types->table_count++] = table;
        return rc;
}

enum err type_load_tables(struct type_load *load, const struct yaml_node *tables)
{
        enum err rc = yaml_expect(tables, YAML_MAP, "a map of tables", load->msg);

        for (const struct yaml_node *node = tables->first; rc == OK && node != NULL; node = node->next)
                rc = add_table(load, node);
        return rc;
}

enum err type_load_find_table(
        const struct type_load *load, const struct yaml_node *node, const struct record_table **out)
{
        const char *name;
        struct suggest suggest;
        enum err rc = yaml_text(node, &name, load->msg);

        *out = NULL;
        if (rc != OK)
                return rc;
        *out = record_types_table(load->types, slice_str(name));
        if (*out != NULL)
                return OK;
        suggest_init(&suggest, slice_str(name));
        for (uint32_t i = 0; i < load->types->table_count; i++)
                suggest_offer(&suggest, slice_str(load->types->tables[i].name));
        return suggest_append(&suggest, yaml_error(node, load->msg, "there is no table \"%s\"", name), load->msg);
}
