/* Record types, the first part: tables and their fields. */
#include "base/suggest.h"
#include "base/yaml_get.h"
#include "database/record_field.h"
#include "database/tag.h"
#include "database/type_load.h"

enum { WORDS_MAX = 64, SCHEMA_MAX = 65535 };

static const char *const FIELD_KINDS[] = {
        [FIELD_TEXT] = "text",
        [FIELD_WORD] = "word",
        [FIELD_DATE] = "date",
        [FIELD_INSTANT] = "instant",
        [FIELD_BOOL] = "bool",
        [FIELD_INT] = "int",
        [FIELD_ANY] = "any",
        [FIELD_STUDENT] = "student",
        [FIELD_ORIGINAL] = "original",
        [FIELD_KIND_COUNT] = NULL,
};

const char *type_kind_name(enum field_kind kind)
{
        return FIELD_KINDS[kind];
}

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
        if (rc == OK && strcmp(field->name, "id") == 0 && field->kind != FIELD_TEXT && field->kind != FIELD_WORD)
                rc = yaml_error(node, load->msg, "the field id must be text, or a word");
        return rc;
}

static const struct yaml_node *preset_of(const struct yaml_node *field)
{
        return field->kind == YAML_MAP ? yaml_find(field, "preset") : NULL;
}

/* Presets come when all fields are there, for their conditions name any of them; and their order when all are read. */
static enum err read_presets(const struct type_load *load, const struct yaml_node *node, struct record_table *table,
        struct record_field *fields)
{
        struct record_field *first = fields + (table->field_count - node->count); /* behind an `id` of our own */
        struct record_field *field = first;
        enum err rc = OK;

        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next, field++)
                if (preset_of(item) != NULL)
                        rc = type_load_presets(load, preset_of(item), table, field);
        field = first;
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next, field++)
                if (preset_of(item) != NULL)
                        rc = type_load_preset_order(load, preset_of(item), table, field);
        return rc;
}

/* At most one field holds the original. */
static enum err find_original(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        for (uint32_t i = 0; i < table->field_count; i++) {
                const struct record_field *field = &table->fields[i];

                if (field->kind != FIELD_ORIGINAL)
                        continue;
                if (table->original_field != NULL)
                        return yaml_error(yaml_find(node, field->name), load->msg,
                                "%s holds the original already; a table has one such field", table->original_field);
                if (field->required)
                        return yaml_error(yaml_find(node, field->name), load->msg,
                                "the original cannot be required: a PUT brings none");
                table->original_field = field->name;
        }
        return OK;
}

/* The declared fields, with `id` before them when it is not one of them. */
static enum err read_fields(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        struct record_field *fields;
        uint32_t count = 0;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of fields", load->msg);

        if (rc != OK)
                return rc;
        if (node->count >= RECORD_FIELDS_MAX)
                return yaml_error(node, load->msg, "a table can have %d fields", RECORD_FIELDS_MAX - 1);
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
        if (rc == OK)
                rc = find_original(load, node, table);
        return rc == OK ? read_presets(load, node, table, fields) : rc;
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

enum err type_load_any_field(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const struct record_field **out)
{
        const char *name;
        enum err rc = yaml_text(node, &name, load->msg);

        *out = NULL;
        for (uint32_t i = 0; rc == OK && i < table->field_count; i++)
                if (strcmp(table->fields[i].name, name) == 0)
                        *out = &table->fields[i];
        return rc == OK && *out == NULL ? no_field(load, node, table, name) : rc;
}

enum err type_load_field(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        const enum field_kind kinds[2], const struct record_field **out)
{
        enum err rc = type_load_any_field(load, node, table, out);

        if (rc != OK)
                return rc;
        if ((*out)->kind != kinds[0] && (*out)->kind != kinds[1])
                return yaml_error(node, load->msg, "%s is of kind %s; it must be a %s%s%s field", (*out)->name,
                        FIELD_KINDS[(*out)->kind], FIELD_KINDS[kinds[0]], kinds[0] == kinds[1] ? "" : " or ",
                        kinds[0] == kinds[1] ? "" : FIELD_KINDS[kinds[1]]);
        return OK;
}

/* ---- looking fields up ---- */

/* At most a quarter of the slots are taken, so that nearly all names are found, or not, at the first. */
static enum err make_lookup(const struct type_load *load, struct record_table *table)
{
        struct record_lookup *lookup;
        size_t count = 4;

        while (count < 4 * (size_t)table->field_count)
                count *= 2;
        lookup = arena_alloc(&load->types->arena, sizeof(*lookup) + count * sizeof(lookup->slots[0]));
        if (lookup == NULL)
                return type_load_no_memory(load);
        lookup->mask = count - 1;
        for (uint32_t i = 0; i < table->field_count; i++) {
                struct slice name = slice_str(table->fields[i].name);
                size_t at = record_lookup_start(lookup, name);

                while (lookup->slots[at].field != NULL)
                        at = (at + 1) & lookup->mask;
                lookup->slots[at] = (struct record_slot){name, &table->fields[i]};
        }
        table->lookup = lookup;
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

/* The number and the fields. A table that only PostgreSQL has can do without: its SQL says what is in a record. */
static enum err read_form(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        static const struct yaml_node no_fields = {.kind = YAML_MAP};
        const struct yaml_node *fields = yaml_find(node, "fields");
        const struct yaml_node *schema = yaml_find(node, "schema");
        const bool optional = yaml_find(node, "postgres") != NULL;
        uint64_t number = 1;
        enum err rc = OK;

        if (!optional && (fields == NULL || schema == NULL))
                return yaml_error(
                        node, load->msg, "the table %s has no %s", table->name, schema == NULL ? "schema" : "fields");
        if (schema != NULL)
                rc = yaml_quantity(schema, (struct yaml_range){QUANTITY_NUMBER, 1, SCHEMA_MAX}, &number, load->msg);
        table->schema = (uint32_t)number;
        return rc == OK ? read_fields(load, fields == NULL ? &no_fields : fields, table) : rc;
}

static enum err read_table(struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        const struct yaml_node *refuse = yaml_find(node, "refuse");
        const struct yaml_node *changes = yaml_find(node, "changes");
        const struct yaml_node *postgres = yaml_find(node, "postgres");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_TABLE, "a map with schema and fields");

        if (rc == OK)
                rc = type_load_place(load, node, &table->place);
        if (rc == OK)
                rc = read_form(load, node, table);
        if (rc == OK && postgres != NULL)
                rc = type_load_table_sql(load, postgres, table);
        if (rc == OK)
                rc = read_indexes(load, node, table);
        if (rc == OK && refuse != NULL)
                rc = type_load_refusals(load, refuse, table);
        if (rc == OK && changes != NULL)
                rc = type_load_changes(load, changes, table);
        return rc == OK ? make_lookup(load, table) : rc;
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
