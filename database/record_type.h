/* Record types: what the keys `type:id` mean. Declared in the configuration (files in conf/types), not coded.
 *
 * A type reads one table (`student`: one record; `allergies`: a list of records) or is a composite of parts, each a
 * filtered view of another type (`summary`). Immutable once loaded: any thread reads without a lock. */
#ifndef DATABASE_RECORD_TYPE_H
#define DATABASE_RECORD_TYPE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"
#include "database/record_rule.h"
#include "database/record_sql.h"

enum id_kind { ID_KIND_TEXT, ID_KIND_INT, ID_KIND_UUID };
enum record_shape { RECORD_ONE, RECORD_LIST, RECORD_COMPOSITE };
enum field_kind {
        FIELD_TEXT,
        FIELD_WORD,    /* one of the declared words, e.g. MILD MODERATE SEVERE */
        FIELD_DATE,    /* FHIR date: YYYY, YYYY-MM or YYYY-MM-DD */
        FIELD_INSTANT, /* RFC 3339 with offset, or a FHIR date */
        FIELD_BOOL,
        FIELD_INT,
        FIELD_ANY,      /* any value, kept as it is */
        FIELD_STUDENT,  /* the id of a student */
        FIELD_ORIGINAL, /* JSON text of what the record was made from: kept beside it, no part of it */
        FIELD_KIND_COUNT
};

enum {
        RECORD_TYPES_MAX = 64,
        RECORD_ORDER_MAX = 4, /* fields that a list is in order by */
        RECORD_PARTS_MAX = 16,
        RECORD_FIELDS_MAX = 256, /* of a table, `id` among them */
        RECORD_NAME_MAX = 64,
        RECORD_ID_MAX = 512
};

struct record_field {
        const char *name;
        enum field_kind kind;
        bool required;
        const char *const *words;            /* FIELD_WORD: NULL-terminated, in rising order of rank */
        const struct record_preset *presets; /* they may ask for what stands before them in the table */
        uint32_t preset_count;
};

struct record_type;
struct record_lookup;

struct record_part {
        const char *name; /* the member's name in the composite's reply */
        const struct record_type *type;
        struct record_condition where; /* only records that meet it */
        uint32_t limit;                /* 0: all */
};

/* A table of the source: where a type's records live. */
struct record_table {
        const char *name;  /* also the table's part of its tags */
        const char *place; /* "file:line:column" of its declaration, for messages */
        uint32_t index;    /* dense, 0.. */
        uint32_t schema;   /* schema number that records are written with */
        const struct record_field *fields;
        uint32_t field_count;
        const struct record_lookup *lookup; /* fields by name; NULL: they are sought one by one */
        const char *original_field;         /* of kind FIELD_ORIGINAL; NULL: none */
        const struct record_refusal *refusals;
        uint32_t refusal_count;
        const struct record_change *changes; /* by rising schema number */
        uint32_t change_count;
        const char *activity_field; /* indexed by time; NULL: not indexed */
        const char *severity_field; /* indexed with status_field by rank; NULL: not indexed */
        const char *status_field;
        const struct record_relation *relations; /* PostgreSQL's, whose changes touch the table's tags */
        uint32_t relation_count;
};

struct record_type {
        const char *name;  /* the key's prefix */
        const char *place; /* "file:line:column" of its declaration */
        uint32_t index;    /* dense, 0..: for counters and masks of permitted types */
        enum record_shape shape;
        enum id_kind id_kind;
        bool critical;
        bool allow_stale;    /* whether ALLOWSTALE may be asked of it */
        struct nanos ttl_l1; /* 0: the type has none of its own (option cache.l1.ttl) */
        struct nanos ttl_l2;
        struct nanos bound; /* the oldest state that may be served as fresh; 0: strict. Of polled sources */
        bool has_bound;     /* false: option freshness.bound */
        uint64_t def;       /* hash of the definition: entries of another one are not ours */
        const struct record_subject *subject; /* what the key's id is one of; NULL: a student */
        struct record_sql fetch;              /* of PostgreSQL; none for composites */
        const struct record_table *table;     /* NULL for composites */
        struct record_condition where;        /* lists: the records that it is of, read and written */
        /* lists: by these, the newest or the highest rank first; equal ones, and all without any, by id */
        const struct record_field *order[RECORD_ORDER_MAX];
        uint32_t order_count;
        const struct record_part *parts;
        uint32_t part_count;
        /* every table that a read depends on; among them the one that decides whether the id exists */
        const struct record_table *const *reads;
        uint32_t read_count;
        const uint64_t *tag_words; /* type_tag_words(); NULL: they are made anew each time */
};

struct record_types;

/* Loads the families that the configuration names. ERR_CONFIG with file:line:column and what would be right, ERR_NOMEM,
 * ERR_IO; *out is NULL then. */
enum err record_types_load(
        struct record_types **out, const char *const *files, size_t count, struct err_msg *msg) MUST_CHECK;
void record_types_destroy(struct record_types **types);

/* NULL when there is none. Any thread. */
const struct record_type *record_types_find(const struct record_types *types, struct slice name);
const struct record_table *record_types_table(const struct record_types *types, struct slice name);
const struct record_type *record_types_at(const struct record_types *types, uint32_t index);
const struct record_table *record_types_table_at(const struct record_types *types, uint32_t index);
uint32_t record_types_count(const struct record_types *types);
uint32_t record_types_table_count(const struct record_types *types);
/* By their index. */
const struct record_table *const *record_types_tables(const struct record_types *types);
/* The table that decides whether a student exists. Never NULL. */
const struct record_table *record_types_students(const struct record_types *types);
/* The table of who is the same person as whom: a row of student A with `into: B` (FIELD_STUDENT) says that A is B.
 * NULL: the configuration has none. */
const struct record_table *record_types_merges(const struct record_types *types);
/* The canonical form of a student's id: the same for all types of students. */
enum id_kind record_types_id_kind(const struct record_types *types);

/* The type, or the table, of that name. ERR_NOTYPE names the nearest one; *out is NULL then. Any thread. */
enum err record_type_named(const struct record_types *types, struct slice name, const struct record_type **out,
        struct err_msg *msg) MUST_CHECK;
enum err record_table_named(const struct record_types *types, struct slice name, const struct record_table **out,
        struct err_msg *msg) MUST_CHECK;

/* Checks an id: 1..512 bytes of UTF-8 without control characters, canonical for its kind (int: "42", not "042"; uuid:
 * lower case with dashes). ERR_BADKEY says what is wrong and what the canonical form would be. Pure; any thread. */
enum err record_id_check(enum id_kind kind, struct slice id, struct err_msg *msg) MUST_CHECK;

/* Splits "type:id" at the first ':' and checks both. ERR_NOTYPE, ERR_BADKEY. *id borrows from `key`. Any thread.
 * record_key_split looks at the id's length only: enough to seek it among ids that were checked; record_key_check does
 * the rest. */
enum err record_key_split(const struct record_types *types, struct slice key, const struct record_type **type,
        struct slice *id, struct err_msg *msg) MUST_CHECK;
enum err record_key_check(const struct record_type *type, struct slice id, struct err_msg *msg) MUST_CHECK;
enum err record_key_parse(const struct record_types *types, struct slice key, const struct record_type **type,
        struct slice *id, struct err_msg *msg) MUST_CHECK;

#endif
