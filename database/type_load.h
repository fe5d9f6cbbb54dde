/* Private to the loading of record types: what is read so far, and where it stood. */
#ifndef DATABASE_TYPE_LOAD_H
#define DATABASE_TYPE_LOAD_H

#include "base/arena.h"
#include "base/yaml.h"
#include "database/record_type.h"

enum { RECORD_TABLES_MAX = 64, RECORD_FILES_MAX = 16 };

#define TYPE_STUDENT_ID "{student}" /* what stands for the id in patterns of keys and tags */

/* What record_types_load makes. All that its pointers show is in the arena. */
struct record_types {
        struct arena arena;
        struct record_table tables[RECORD_TABLES_MAX];
        const struct record_table *table_list[RECORD_TABLES_MAX];
        uint32_t table_count;
        struct record_type types[RECORD_TYPES_MAX];
        struct slice names[RECORD_TYPES_MAX]; /* the types' */
        uint32_t type_count;
        const struct record_table *students;
};

struct type_load {
        struct record_types *types;
        const struct yaml_node *type_nodes[RECORD_TYPES_MAX]; /* where each one is declared */
        struct err_msg *msg;
};

/* The levels of type_keys.def. */
enum type_level {
        TYPE_LEVEL_FILE,
        TYPE_LEVEL_TABLE,
        TYPE_LEVEL_FIELD,
        TYPE_LEVEL_TYPE,
        TYPE_LEVEL_TTL,
        TYPE_LEVEL_PART
};

/* The node is a map whose every key is one that the level knows. ERR_CONFIG. */
enum err type_load_map(
        const struct type_load *load, const struct yaml_node *node, enum type_level level, const char *what) MUST_CHECK;

/* Adds the tables of one file's `tables`. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_tables(struct type_load *load, const struct yaml_node *tables) MUST_CHECK;

/* The table's field that a node names, which must be of one of the two kinds (the same twice for one). ERR_CONFIG. */
enum err type_load_field(const struct type_load *load, const struct yaml_node *node, const struct record_table *table,
        const enum field_kind kinds[2], const struct record_field **out) MUST_CHECK;

/* Sets *out to the table that a node names. ERR_CONFIG names the nearest. */
enum err type_load_find_table(
        const struct type_load *load, const struct yaml_node *node, const struct record_table **out) MUST_CHECK;

/* Adds one type, but for its parts and what it reads. ERR_CONFIG, ERR_NOMEM. */
enum err type_load_type(struct type_load *load, const struct yaml_node *node) MUST_CHECK;

/* Completes a type when all are there: parts, tables read, definition. A composite after its parts' types. ERR_CONFIG,
 * ERR_NOMEM. */
enum err type_load_finish(struct type_load *load, uint32_t index) MUST_CHECK;

/* ERR_NOMEM, with its message. */
enum err type_load_no_memory(const struct type_load *load);

#endif
