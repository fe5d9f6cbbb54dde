/* Record types: what is declared by conditions on fields (presets, refusals, where), and what changed between
 * schemas. */
#include "base/yaml_get.h"
#include "database/type_load.h"
#include "database/value.h"

#include <stdlib.h>

enum { TESTS_MAX = 256, RULES_MAX = 64, CHANGES_MAX = 64, SCHEMA_MIN = 2 };

#define PRESENT "present"
#define MISSING "missing"

/* ---- conditions ---- */

static enum err keep_text(const struct type_load *load, struct slice text, struct slice *out)
{
        out->data = (const uint8_t *)arena_text(&load->types->arena, text);
        out->len = text.len;
        return out->data == NULL ? type_load_no_memory(load) : OK;
}

/* `present` and `missing`, which may be asked of any field. */
static bool is_presence(const struct yaml_node *node, struct record_test *test)
{
        if (node->kind != YAML_SCALAR || (strcmp(node->text, PRESENT) != 0 && strcmp(node->text, MISSING) != 0))
                return false;
        test->kind = strcmp(node->text, PRESENT) == 0 ? TEST_PRESENT : TEST_MISSING;
        return true;
}

static enum err read_flag_test(const struct type_load *load, const struct yaml_node *node, struct record_test *test)
{
        bool flag = false;
        enum err rc = yaml_bool(node, &flag, load->msg);

        test->kind = flag ? TEST_TRUE : TEST_FALSE;
        return rc;
}

static enum err read_word_test(const struct type_load *load, const struct yaml_node *node,
        const struct record_field *field, struct record_test *test)
{
        uint32_t rank = 0;
        enum err rc = yaml_word(node, field->words, &rank, load->msg);

        test->kind = TEST_TEXT;
        test->text = slice_str(field->words[rank]);
        return rc;
}

/* A text that ends in '*' stands for all that begin with the rest. */
static enum err read_text_test(const struct type_load *load, const struct yaml_node *node, struct record_test *test)
{
        const char *text;
        struct slice whole;
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc != OK)
                return rc;
        whole = slice_str(text);
        test->kind = TEST_TEXT;
        if (whole.len > 0 && whole.data[whole.len - 1] == '*') {
                test->kind = TEST_PREFIX;
                whole.len--;
        }
        return keep_text(load, whole, &test->text);
}

static enum err read_test(const struct type_load *load, const struct yaml_node *node, const struct record_field *field,
        struct record_test *test)
{
        if (is_presence(node, test))
                return OK;
        switch (field->kind) {
        case FIELD_BOOL: return read_flag_test(load, node, test);
        case FIELD_WORD: return read_word_test(load, node, field, test);
        case FIELD_TEXT:
        case FIELD_STUDENT: return read_text_test(load, node, test);
        default:
                return yaml_error(node, load->msg,
                        "%s is of kind %s; a condition can ask whether it is " PRESENT " or " MISSING, field->name,
                        type_kind_name(field->kind));
        }
}

/* One value, or a list of them. */
static enum err read_tests(const struct type_load *load, const struct yaml_node *node, const struct record_field *field,
        struct record_filter *filter)
{
        uint32_t count = node->kind == YAML_LIST ? node->count : 1;
        struct record_test *tests;
        enum err rc = OK;

        if (count == 0 || count > TESTS_MAX)
                return yaml_error(
                        node, load->msg, "%s has %u values; a condition has 1 to %d", field->name, count, TESTS_MAX);
        tests = arena_array(&load->types->arena, count, sizeof(*tests));
        if (tests == NULL)
                return type_load_no_memory(load);
        filter->tests = tests;
        filter->test_count = count;
        if (node->kind != YAML_LIST)
                return read_test(load, node, field, tests);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_test(load, item, field, tests++);
        return rc;
}

static enum err read_filter(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_filter *filter)
{
        const struct record_field *field;
        enum err rc = type_load_any_field(load, node->key, table, &field);

        if (rc != OK)
                return rc;
        if (field->kind == FIELD_ORIGINAL)
                return yaml_error(
                        node->key, load->msg, "%s is kept beside the record; no condition can ask for it", field->name);
        filter->field = field->name;
        filter->index = (uint32_t)(field - table->fields);
        return read_tests(load, node, field, filter);
}

enum err type_load_condition(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_condition *out)
{
        struct record_filter *filters;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of fields and what they hold", load->msg);

        if (rc != OK)
                return rc;
        filters = arena_array(&load->types->arena, node->count, sizeof(*filters));
        if (filters == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_filter(load, item, table, &filters[out->filter_count++]);
        out->filters = filters;
        return rc;
}

/* ---- presets ---- */

/* The value as msgpack: ready to be put into a record. */
static enum err put_preset(
        const struct type_load *load, const struct yaml_node *node, const struct record_field *field, struct buf *out)
{
        const char *text;
        uint32_t rank;
        bool flag;
        enum err rc;

        switch (field->kind) {
        case FIELD_WORD:
                rc = yaml_word(node, field->words, &rank, load->msg);
                return rc == OK ? value_put_str(out, field->words[rank]) : rc;
        case FIELD_BOOL: rc = yaml_bool(node, &flag, load->msg); return rc == OK ? value_put_bool(out, flag) : rc;
        case FIELD_TEXT: rc = yaml_text(node, &text, load->msg); return rc == OK ? value_put_str(out, text) : rc;
        default: return yaml_error(node, load->msg, "only a field of kind text, word or bool has a preset");
        }
}

static enum err read_preset_value(const struct type_load *load, const struct yaml_node *node,
        const struct record_field *field, struct record_preset *preset)
{
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        rc = put_preset(load, node, field, &value);
        if (rc == OK)
                rc = keep_text(load, buf_slice(&value), &preset->value);
        else if (rc == ERR_NOMEM)
                rc = type_load_no_memory(load);
        buf_deinit(&value);
        return rc;
}

static enum err read_preset_rule(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const struct record_field *field, struct record_preset *preset)
{
        const struct yaml_node *when = yaml_find(node, "when");
        const struct yaml_node *is = yaml_find(node, "is");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_PRESET, "a map with when and is");

        if (rc == OK && is == NULL)
                rc = yaml_error(node, load->msg, "the rule does not say what %s is", field->name);
        if (rc == OK && when == NULL && node->next != NULL)
                rc = yaml_error(node, load->msg, "a rule without when always holds; it must be the last");
        if (rc == OK)
                rc = read_preset_value(load, is, field, preset);
        if (rc == OK && when != NULL)
                rc = type_load_condition(load, when, table, &preset->when);
        return rc;
}

enum err type_load_presets(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        struct record_field *field)
{
        uint32_t count = node->kind == YAML_LIST ? node->count : 1;
        struct record_preset *presets;
        enum err rc = OK;

        if (count == 0 || count > RULES_MAX)
                return yaml_error(node, load->msg, "preset has %u rules; it must have 1 to %d", count, RULES_MAX);
        presets = arena_array(&load->types->arena, count, sizeof(*presets));
        if (presets == NULL)
                return type_load_no_memory(load);
        field->presets = presets;
        field->preset_count = count;
        if (node->kind != YAML_LIST)
                return read_preset_value(load, node, field, presets);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_preset_rule(load, item, table, field, presets++);
        return rc;
}

/* Presets are filled in in the order of the fields: one that asks for a field that is filled in later would ask too
 * soon. */
static enum err check_when(const struct type_load *load, const struct yaml_node *when, const struct record_table *table,
        const struct record_field *field)
{
        for (const struct yaml_node *item = when->first; item != NULL; item = item->next) {
                const struct record_field *asked;
                enum err rc = type_load_any_field(load, item->key, table, &asked);

                if (rc != OK)
                        return rc;
                if (asked == field)
                        return yaml_error(item->key, load->msg, "%s is what is preset; it is missing", asked->name);
                if (asked > field && asked->preset_count > 0)
                        return yaml_error(item->key, load->msg, "%s has a preset itself; declare it above %s",
                                asked->name, field->name);
        }
        return OK;
}

enum err type_load_preset_order(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const struct record_field *field)
{
        enum err rc = OK;

        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next) {
                const struct yaml_node *when = yaml_find(item, "when");

                if (when != NULL)
                        rc = check_when(load, when, table, field);
        }
        return rc;
}

/* ---- refusals ---- */

static enum err read_refusal(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_refusal *refusal)
{
        const struct yaml_node *when = yaml_find(node, "when");
        const struct yaml_node *because = yaml_find(node, "because");
        const char *sentence;
        enum err rc = type_load_map(load, node, TYPE_LEVEL_REFUSAL, "a map with when and because");

        if (rc == OK && (when == NULL || because == NULL))
                rc = yaml_error(node, load->msg, "the rule has no %s", when == NULL ? "when" : "because");
        if (rc == OK)
                rc = type_load_condition(load, when, table, &refusal->when);
        if (rc == OK && refusal->when.filter_count == 0)
                rc = yaml_error(when, load->msg, "a rule that asks for nothing would refuse every record");
        if (rc == OK)
                rc = yaml_text(because, &sentence, load->msg);
        if (rc != OK)
                return rc;
        refusal->because = arena_text(&load->types->arena, slice_str(sentence));
        return refusal->because == NULL ? type_load_no_memory(load) : OK;
}

enum err type_load_refusals(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        struct record_refusal *refusals;
        enum err rc = yaml_expect(node, YAML_LIST, "a list of rules with when and because", load->msg);

        if (rc != OK)
                return rc;
        if (node->count > RULES_MAX)
                return yaml_error(node, load->msg, "refuse has %u rules; it can have %d", node->count, RULES_MAX);
        refusals = arena_array(&load->types->arena, node->count, sizeof(*refusals));
        if (refusals == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_refusal(load, item, table, &refusals[table->refusal_count++]);
        table->refusals = refusals;
        return rc;
}

/* ---- changes ---- */

static enum err read_rename(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_rename *rename)
{
        const struct record_field *field;
        enum err rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);

        if (rc == OK)
                rc = type_load_any_field(load, node, table, &field);
        if (rc != OK)
                return rc;
        for (uint32_t i = 0; i < table->field_count; i++)
                if (strcmp(table->fields[i].name, node->key->text) == 0)
                        return yaml_error(node->key, load->msg, "the table %s has a field %s still", table->name,
                                node->key->text);
        rename->to = field->name;
        rename->from = arena_text(&load->types->arena, slice_str(node->key->text));
        return rename->from == NULL ? type_load_no_memory(load) : OK;
}

static enum err read_renames(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_change *change)
{
        struct record_rename *renames;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of old names and new ones", load->msg);

        if (rc != OK)
                return rc;
        renames = arena_array(&load->types->arena, node->count, sizeof(*renames));
        if (renames == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next)
                rc = read_rename(load, item, table, &renames[change->rename_count++]);
        change->renames = renames;
        return rc;
}

static enum err read_change(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_change *change)
{
        const struct yaml_node *rename = yaml_find(node, "rename");
        char *end;
        unsigned long schema = strtoul(node->key->text, &end, 10);
        enum err rc;

        if (*end != '\0' || schema < SCHEMA_MIN || schema > table->schema)
                return yaml_error(node->key, load->msg, "changes is by schema number, %d to the table's own, %u",
                        SCHEMA_MIN, table->schema);
        rc = type_load_map(load, node, TYPE_LEVEL_CHANGE, "a map with rename");
        change->schema = (uint32_t)schema;
        return rc == OK && rename != NULL ? read_renames(load, rename, table, change) : rc;
}

enum err type_load_changes(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        struct record_change *changes;
        enum err rc = yaml_expect(node, YAML_MAP, "a map of schema numbers", load->msg);

        if (rc != OK)
                return rc;
        if (node->count > CHANGES_MAX)
                return yaml_error(node, load->msg, "changes has %u schemas; it can have %d", node->count, CHANGES_MAX);
        changes = arena_array(&load->types->arena, node->count, sizeof(*changes));
        if (changes == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next) {
                struct record_change *change = &changes[table->change_count++];

                rc = read_change(load, item, table, change);
                if (rc == OK && change > changes && change->schema <= change[-1].schema)
                        rc = yaml_error(item->key, load->msg, "schema numbers must rise");
        }
        table->changes = changes;
        return rc;
}
