/* Private to the loading of record types: what is read so far, and where it stood. */
#ifndef DATABASE_TYPE_LOAD_H
#define DATABASE_TYPE_LOAD_H

#include "base/arena.h"
#include "base/yaml.h"
#include "database/record_type.h"

enum { RECORD_TABLES_MAX = 64, RECORD_FILES_MAX = 16, RECORD_SUBJECTS_MAX = 16 };

#define TYPE_STUDENT "student" /* the subject that there always is; "{student}" stands for its id in patterns */

/* What record_types_load makes. All that its pointers show is in the arena. */
struct record_types {
        struct arena arena;
        struct record_table tables[RECORD_TABLES_MAX];
        const struct record_table *table_list[RECORD_TABLES_MAX];
        uint32_t table_count;
        struct record_type types[RECORD_TYPES_MAX];
        struct slice names[RECORD_TYPES_MAX]; /* the types' */
        uint32_t type_count;
        struct record_subject subjects[RECORD_SUBJECTS_MAX]; /* the first is the students */
        uint32_t subject_count;
        const struct record_table *students;
        const struct record_table *merges; /* NULL: none */
};

struct type_load {
        struct record_types *types;
        const struct yaml_node *type_nodes[RECORD_TYPES_MAX]; /* where each one is declared */
        const struct yaml_node *subject_nodes[RECORD_SUBJECTS_MAX];
        struct err_msg *msg;
};

/* The levels of type_keys.def. */
enum type_level {
        TYPE_LEVEL_FILE,
        TYPE_LEVEL_TABLE,
        TYPE_LEVEL_FIELD,
        TYPE_LEVEL_PRESET,
        TYPE_LEVEL_REFUSAL,
        TYPE_LEVEL_CHANGE,
        TYPE_LEVEL_TYPE,
        TYPE_LEVEL_TTL,
        TYPE_LEVEL_PART,
        TYPE_LEVEL_SUBJECT,
        TYPE_LEVEL_SOURCE,
        TYPE_LEVEL_RELATION,
        TYPE_LEVEL_FETCH
};

/* The node is a map whose every key is one that the level knows. ERR_CONFIG. */
enum err type_load_map(
        const struct type_load *load, const struct yaml_node *node, enum type_level level, const char *what) MUST_CHECK;

/* Adds the tables of one file's `tables`. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_tables(struct type_load *load, const struct yaml_node *tables) MUST_CHECK;

/* The name of a kind of fields, as it is written; a literal. */
const char *type_kind_name(enum field_kind kind);

/* The table's field that a node names. ERR_CONFIG names the nearest. */
enum err type_load_any_field(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const struct record_field **out) MUST_CHECK;

/* The same, which must be of one of the two kinds (the same twice for one). ERR_CONFIG. */
enum err type_load_field(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        const enum field_kind kinds[2], const struct record_field **out) MUST_CHECK;

/* Sets *out to the table that a node names. ERR_CONFIG names the nearest. */
enum err type_load_find_table(
        const struct type_load *load, const struct yaml_node *node, const struct record_table **out) MUST_CHECK;

/* Reads a condition on the table's records: a map of fields and what they hold. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_condition(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, struct record_condition *out) MUST_CHECK;

/* Reads the presets of one of the table's fields: a value, or a list of rules; and the table's refusals and changes.
 * All of the table's fields must be there. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_presets(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        struct record_field *field) MUST_CHECK;
enum err type_load_refusals(
        const struct type_load *load, const struct yaml_node *node, struct record_table *table) MUST_CHECK;
enum err type_load_changes(
        const struct type_load *load, const struct yaml_node *node, struct record_table *table) MUST_CHECK;

/* Whether the conditions of a field's presets ask for nothing that is filled in later; when all presets of the table
 * are read. ERR_CONFIG. */
enum err type_load_preset_order(const struct type_load *load, const struct yaml_node *node,
        const struct record_table *table, const struct record_field *field) MUST_CHECK;

/* Sets *out to "file:line:column" of the node. ERR_NOMEM. */
enum err type_load_place(const struct type_load *load, const struct yaml_node *node, const char **out) MUST_CHECK;

/* Adds the subjects of one file's `subjects`, by name only: tables name them. Then, when all tables are there, reads
 * what they are. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_subject_names(struct type_load *load, const struct yaml_node *subjects) MUST_CHECK;
enum err type_load_subjects(struct type_load *load) MUST_CHECK;

/* Sets *out to the subject `name`, which stands at the node. ERR_CONFIG names the nearest. */
enum err type_load_find_subject(const struct type_load *load, const struct yaml_node *node, struct slice name,
        const struct record_subject **out) MUST_CHECK;

/* Reads a table's `postgres`. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_table_sql(
        struct type_load *load, const struct yaml_node *node, struct record_table *table) MUST_CHECK;

/* Says how PostgreSQL knows which students there are, when the table students is known. ERR_NOMEM. */
enum err type_load_students(struct type_load *load) MUST_CHECK;

/* Reads a type's `postgres`. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_fetch(
        const struct type_load *load, const struct yaml_node *node, struct record_type *type) MUST_CHECK;

/* Sets the type's definition hash, when all else of it is there. ERR_NOMEM. */
enum err type_load_hash(const struct type_load *load, struct record_type *type) MUST_CHECK;

/* Adds one type, but for its parts and what it reads. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_type(struct type_load *load, const struct yaml_node *node) MUST_CHECK;

/* Completes a type when all are there: parts, tables read, definition. A composite after its parts' types. ERR_CONFIG,
 * ERR_NOMEM. */
enum err type_load_finish(struct type_load *load, uint32_t index) MUST_CHECK;

/* ERR_NOMEM, with its message. */
enum err type_load_no_memory(const struct type_load *load);

#endif
