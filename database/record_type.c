#include "database/record_type.h"

#include "base/mem.h"
#include "base/yaml_get.h"
#include "database/record.h"
#include "database/type_load.h"

typedef enum err (*for_file_fn)(struct type_load *load, const struct yaml_node *root);

static enum err load_tables(struct type_load *load, const struct yaml_node *root)
{
        const struct yaml_node *tables = yaml_find(root, "tables");

        return tables != NULL ? type_load_tables(load, tables) : OK;
}

static enum err load_subjects(struct type_load *load, const struct yaml_node *root)
{
        const struct yaml_node *subjects = yaml_find(root, "subjects");
        enum err rc = type_load_map(load, root, TYPE_LEVEL_FILE, "a map with tables and types");

        return rc == OK && subjects != NULL ? type_load_subject_names(load, subjects) : rc;
}

static enum err load_types(struct type_load *load, const struct yaml_node *root)
{
        const struct yaml_node *types = yaml_find(root, "types");
        enum err rc = OK;

        if (types != NULL)
                rc = yaml_expect(types, YAML_MAP, "a map of record types", load->msg);
        for (const struct yaml_node *node = types == NULL ? NULL : types->first; rc == OK && node != NULL;
                node = node->next)
                rc = type_load_type(load, node);
        return rc;
}

/* A table merges says whom a row's student is the same as in its field `into`. */
static enum err find_merges(struct type_load *load, const char *file)
{
        const struct record_table *merges = record_types_table(load->types, slice_str("merges"));
        const struct record_field *into = merges == NULL ? NULL : record_table_field(merges, "into");

        load->types->merges = merges;
        if (merges == NULL || (into != NULL && into->kind == FIELD_STUDENT && into->required))
                return OK;
        return err_set(load->msg, ERR_CONFIG,
                "%s: the table merges needs the field into: {kind: student, required: true}", file);
}

static enum err find_students(struct type_load *load, const char *file)
{
        load->types->students = record_types_table(load->types, slice_str("students"));
        if (load->types->students == NULL)
                return err_set(load->msg, ERR_CONFIG,
                        "%s: no table is called students; its records decide which students there are", file);
        if (load->types->type_count == 0)
                return err_set(load->msg, ERR_CONFIG, "%s: no record type is declared", file);
        return type_load_students(load);
}

/* Composites come last: their definition holds their parts'. */
static enum err finish_types(struct type_load *load)
{
        struct record_types *types = load->types;
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < types->type_count; i++)
                if (types->types[i].shape != RECORD_COMPOSITE)
                        rc = type_load_finish(load, i);
        for (uint32_t i = 0; rc == OK && i < types->type_count; i++)
                if (types->types[i].shape == RECORD_COMPOSITE)
                        rc = type_load_finish(load, i);
        return rc;
}

static enum err for_each_file(struct type_load *load, struct yaml_doc *const *docs, size_t count, for_file_fn visit)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < count; i++)
                if (yaml_root(docs[i]) != NULL)
                        rc = visit(load, yaml_root(docs[i]));
        return rc;
}

static enum err load_all(struct type_load *load, const char *const *files, size_t count)
{
        struct yaml_doc *docs[RECORD_FILES_MAX] = {NULL};
        enum err rc = OK;

        if (count == 0 || count > RECORD_FILES_MAX)
                return err_set(load->msg, ERR_CONFIG, "types.files names %zu files; there must be 1 to %d", count,
                        RECORD_FILES_MAX);
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = yaml_load_file(&docs[i], files[i], load->msg);
        if (rc == OK)
                rc = for_each_file(load, docs, count, load_subjects);
        if (rc == OK)
                rc = for_each_file(load, docs, count, load_tables);
        if (rc == OK)
                rc = type_load_subjects(load);
        if (rc == OK)
                rc = for_each_file(load, docs, count, load_types);
        if (rc == OK)
                rc = find_students(load, files[count - 1]);
        if (rc == OK)
                rc = find_merges(load, files[count - 1]);
        if (rc == OK)
                rc = finish_types(load);
        for (size_t i = 0; i < count; i++)
                yaml_destroy(&docs[i]);
        return rc;
}

enum err record_types_load(struct record_types **out, const char *const *files, size_t count, struct err_msg *msg)
{
        struct record_types *types = vc_calloc(1, sizeof(*types));
        struct type_load load = {.types = types, .msg = msg};
        enum err rc;

        *out = NULL;
        if (types == NULL)
                return type_load_no_memory(&load);
        arena_init(&types->arena);
        types->subjects[types->subject_count++].name = TYPE_STUDENT;
        rc = load_all(&load, files, count);
        if (rc != OK)
                record_types_destroy(&types);
        *out = types;
        return rc;
}

void record_types_destroy(struct record_types **types)
{
        if (*types != NULL)
                arena_deinit(&(*types)->arena);
        vc_free(*types);
        *types = NULL;
}

/* ---- once loaded ---- */

const struct record_type *record_types_find(const struct record_types *types, struct slice name)
{
        for (uint32_t i = 0; i < types->type_count; i++)
                if (slice_equal(name, types->names[i]))
                        return &types->types[i];
        return NULL;
}

const struct record_table *record_types_table(const struct record_types *types, struct slice name)
{
        for (uint32_t i = 0; i < types->table_count; i++)
                if (slice_equal(name, slice_str(types->tables[i].name)))
                        return &types->tables[i];
        return NULL;
}

const struct record_type *record_types_at(const struct record_types *types, uint32_t index)
{
        VC_ASSERT(index < types->type_count);
        return &types->types[index];
}

const struct record_table *record_types_table_at(const struct record_types *types, uint32_t index)
{
        VC_ASSERT(index < types->table_count);
        return &types->tables[index];
}

uint32_t record_types_count(const struct record_types *types)
{
        return types->type_count;
}

uint32_t record_types_table_count(const struct record_types *types)
{
        return types->table_count;
}

const struct record_table *const *record_types_tables(const struct record_types *types)
{
        return types->table_list;
}

const struct record_table *record_types_students(const struct record_types *types)
{
        return types->students;
}

const struct record_table *record_types_merges(const struct record_types *types)
{
        return types->merges;
}
