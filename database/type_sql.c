/* Record types: what only PostgreSQL needs of them (database/record_sql.h). */
#include "base/suggest.h"
#include "base/yaml_get.h"
#include "database/type_load.h"

#include <ctype.h>
#include <stdio.h>

enum { RELATIONS_MAX = 64, PLACE_SIZE = 512, IDENTIFIER_MAX = 63 /* NAMEDATALEN - 1 */ };

/* ---- texts ---- */

enum err type_load_place(const struct type_load *load, const struct yaml_node *node, const char **out)
{
        char place[PLACE_SIZE];

        (void)snprintf(place, sizeof(place), "%s:%u:%u", node->file, node->line, node->column);
        *out = arena_text(&load->types->arena, slice_str(place));
        return *out == NULL ? type_load_no_memory(load) : OK;
}

/* Without the ';' and the spaces at its end: the text goes into other statements, too. */
static struct slice bare_sql(const char *text)
{
        size_t len = strlen(text);

        while (len > 0 && (text[len - 1] == ';' || isspace((unsigned char)text[len - 1])))
                len--;
        return slice_of(text, len);
}

static enum err read_sql(const struct type_load *load, const struct yaml_node *node, struct record_sql *out)
{
        const char *text;
        enum err rc = yaml_text(node, &text, load->msg);

        if (rc == OK && strstr(text, "$1") == NULL)
                rc = yaml_error(node, load->msg, "%s has no $1, which stands for the array of ids: … = ANY($1)",
                        node->key->text);
        if (rc == OK)
                rc = type_load_place(load, node, &out->place);
        if (rc != OK)
                return rc;
        out->text = arena_text(&load->types->arena, bare_sql(text));
        return out->text == NULL ? type_load_no_memory(load) : OK;
}

/* ---- subjects ---- */

static enum err add_subject(struct type_load *load, const struct yaml_node *node)
{
        struct record_types *types = load->types;
        struct record_subject *subject = &types->subjects[types->subject_count];
        enum err rc = yaml_name(node->key, RECORD_NAME_MAX, load->msg);

        if (rc != OK)
                return rc;
        if (record_types_subject(types, slice_str(node->key->text)) != NULL)
                return yaml_error(node->key, load->msg, "there is a subject \"%s\" already", node->key->text);
        if (types->subject_count == RECORD_SUBJECTS_MAX)
                return yaml_error(node->key, load->msg, "there can be %d subjects", RECORD_SUBJECTS_MAX - 1);
        *subject = (struct record_subject){.name = arena_text(&types->arena, slice_str(node->key->text))};
        if (subject->name == NULL)
                return type_load_no_memory(load);
        load->subject_nodes[types->subject_count++] = node;
        return OK;
}

enum err type_load_subject_names(struct type_load *load, const struct yaml_node *subjects)
{
        enum err rc = yaml_expect(subjects, YAML_MAP, "a map of subjects", load->msg);

        for (const struct yaml_node *node = subjects->first; rc == OK && node != NULL; node = node->next)
                rc = add_subject(load, node);
        return rc;
}

static enum err read_subject(const struct type_load *load, const struct yaml_node *node, struct record_subject *subject)
{
        const struct yaml_node *exists = yaml_find(node, "exists");
        const struct yaml_node *table = yaml_find(node, "table");
        enum err rc = OK;

        if (yaml_is_empty(node))
                return OK;
        rc = type_load_map(load, node, TYPE_LEVEL_SUBJECT, "a map with exists and table");
        if (rc == OK && (exists == NULL) != (table == NULL))
                rc = yaml_error(exists == NULL ? table->key : exists->key, load->msg,
                        "exists and table belong together: a change of the table decides anew whether a %s exists",
                        subject->name);
        if (rc == OK && exists != NULL)
                rc = read_sql(load, exists, &subject->exists);
        if (rc == OK && table != NULL)
                rc = type_load_find_table(load, table, &subject->table);
        return rc;
}

enum err type_load_subjects(struct type_load *load)
{
        enum err rc = OK;

        for (uint32_t i = 1; rc == OK && i < load->types->subject_count; i++)
                rc = read_subject(load, load->subject_nodes[i], &load->types->subjects[i]);
        return rc;
}

enum err type_load_find_subject(const struct type_load *load, const struct yaml_node *node, struct slice name,
        const struct record_subject **out)
{
        struct suggest suggest;

        *out = record_types_subject(load->types, name);
        if (*out != NULL)
                return OK;
        suggest_init(&suggest, name);
        for (uint32_t i = 0; i < load->types->subject_count; i++)
                suggest_offer(&suggest, slice_str(load->types->subjects[i].name));
        return suggest_append(
                &suggest, yaml_error(node, load->msg, "there is no subject \"%.*s\"", SLICE_ARG(name)), load->msg);
}

/* A column's name goes into SQL in quotes. */
static enum err put_quoted(struct buf *out, const char *name)
{
        enum err rc = buf_append_str(out, "\"");

        for (; rc == OK && *name != '\0'; name++)
                rc = *name == '"' ? buf_append_str(out, "\"\"") : buf_append(out, name, 1);
        return rc == OK ? buf_append_str(out, "\"") : rc;
}

static enum err put_exists(struct buf *out, const struct record_relation *relation)
{
        enum err rc = buf_append_str(out, "SELECT ");

        if (rc == OK)
                rc = put_quoted(out, relation->column);
        if (rc == OK)
                rc = buf_printf(out, "::text AS student FROM %s WHERE ", relation->name);
        if (rc == OK)
                rc = put_quoted(out, relation->column);
        return rc == OK ? buf_append_str(out, " = ANY($1)") : rc;
}

static enum err make_exists(
        const struct type_load *load, const struct record_relation *relation, struct record_sql *out)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = put_exists(&text, relation);
        if (rc == OK)
                out->text = arena_text(&load->types->arena, buf_slice(&text));
        out->place = relation->place;
        out->made = true;
        buf_deinit(&text);
        return rc != OK || out->text == NULL ? type_load_no_memory(load) : OK;
}

enum err type_load_students(struct type_load *load)
{
        const struct record_table *table = load->types->students;
        struct record_subject *students = &load->types->subjects[0];

        students->table = table;
        for (uint32_t i = 0; students->exists.text == NULL && i < table->relation_count; i++) {
                const struct record_relation *relation = &table->relations[i];

                if (relation->subject == students->name)
                        return make_exists(load, relation, &students->exists);
        }
        return OK;
}

/* ---- tables ---- */

/* The member that says whose the rows are: any key but `name`. */
static enum err read_owner(
        const struct type_load *load, const struct yaml_node *member, struct record_relation *relation)
{
        const struct record_subject *subject;
        const char *column;
        enum err rc = type_load_find_subject(load, member->key, slice_str(member->key->text), &subject);

        if (rc == OK && relation->subject != NULL)
                rc = yaml_error(member->key, load->msg,
                        "an entry says one subject's column, here %s's; write another entry of the same name",
                        relation->subject);
        if (rc == OK)
                rc = yaml_text(member, &column, load->msg);
        if (rc == OK && strlen(column) > IDENTIFIER_MAX)
                rc = yaml_error(member, load->msg, "a column's name has at most %d bytes", IDENTIFIER_MAX);
        if (rc != OK)
                return rc;
        relation->subject = subject->name;
        relation->column = arena_text(&load->types->arena, slice_str(column));
        return relation->column == NULL ? type_load_no_memory(load) : OK;
}

static enum err read_relation_name(
        const struct type_load *load, const struct yaml_node *node, struct record_relation *relation)
{
        const char *name;
        enum err rc = yaml_text(node, &name, load->msg);

        if (rc == OK && strchr(name, '.') == NULL)
                rc = yaml_error(
                        node, load->msg, "name is \"%s\"; write it with its schema, as in public.%s", name, name);
        if (rc != OK)
                return rc;
        relation->name = arena_text(&load->types->arena, slice_str(name));
        return relation->name == NULL ? type_load_no_memory(load) : OK;
}

static enum err read_relation(
        const struct type_load *load, const struct yaml_node *node, struct record_relation *relation)
{
        enum err rc =
                yaml_expect(node, YAML_MAP, "a map with name, and the column that says whose a row is", load->msg);
        const struct yaml_node *name = yaml_find(node, "name");

        if (rc == OK && name == NULL)
                rc = yaml_error(node, load->msg, "the relation has no name");
        if (rc == OK)
                rc = read_relation_name(load, name, relation);
        if (rc == OK)
                rc = type_load_place(load, node, &relation->place);
        for (const struct yaml_node *member = node->first; rc == OK && member != NULL; member = member->next)
                if (member != name)
                        rc = read_owner(load, member, relation);
        return rc;
}

static bool is_same(const struct record_relation *a, const struct record_relation *b)
{
        return strcmp(a->name, b->name) == 0 && a->subject == b->subject &&
               (a->subject == NULL || strcmp(a->column, b->column) == 0);
}

static enum err read_relations(const struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        struct record_relation *relations;
        uint32_t count = 0;
        enum err rc = yaml_expect(node, YAML_LIST, "a list of relations", load->msg);

        if (rc != OK)
                return rc;
        if (node->count == 0 || node->count > RELATIONS_MAX)
                return yaml_error(
                        node, load->msg, "relations has %u entries; it must have 1 to %d", node->count, RELATIONS_MAX);
        relations = arena_array(&load->types->arena, node->count, sizeof(*relations));
        if (relations == NULL)
                return type_load_no_memory(load);
        for (const struct yaml_node *item = node->first; rc == OK && item != NULL; item = item->next, count++) {
                rc = read_relation(load, item, &relations[count]);
                for (uint32_t i = 0; rc == OK && i < count; i++)
                        if (is_same(&relations[i], &relations[count]))
                                rc = yaml_error(item, load->msg, "%s is here twice", relations[count].name);
        }
        table->relations = relations;
        table->relation_count = count;
        return rc;
}

enum err type_load_table_sql(struct type_load *load, const struct yaml_node *node, struct record_table *table)
{
        const struct yaml_node *relations = yaml_find(node, "relations");
        const struct yaml_node *exists = yaml_find(node, "exists");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_SOURCE, "a map with relations");

        if (rc == OK && relations == NULL)
                rc = yaml_error(
                        node, load->msg, "the table %s has no relations; their changes make it stale", table->name);
        if (rc == OK)
                rc = read_relations(load, relations, table);
        if (rc == OK && exists != NULL && strcmp(table->name, "students") != 0)
                rc = yaml_error(exists->key, load->msg, "only the table students decides whether a student exists");
        if (rc == OK && exists != NULL)
                rc = read_sql(load, exists, &load->types->subjects[0].exists);
        return rc;
}

/* ---- types ---- */

enum err type_load_fetch(const struct type_load *load, const struct yaml_node *node, struct record_type *type)
{
        const struct yaml_node *fetch = yaml_find(node, "fetch");
        enum err rc = type_load_map(load, node, TYPE_LEVEL_FETCH, "a map with fetch");

        if (rc == OK && type->shape == RECORD_COMPOSITE)
                return yaml_error(node->key, load->msg, "a composite has no SQL of its own; it is made of its parts");
        if (rc == OK && fetch == NULL)
                rc = yaml_error(node, load->msg, "the type %s has no fetch", type->name);
        return rc == OK ? read_sql(load, fetch, &type->fetch) : rc;
}
