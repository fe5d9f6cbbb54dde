/* A small school for tests of the embedded source: tables and types as code, and writes and reads that wait. Tests of
 * folders above `base` and `monitoring` only. */
#ifndef TESTS_LIB_SCHOOL_H
#define TESTS_LIB_SCHOOL_H

#include "tests/lib/test.h"

#include "database/lmdb_env.h"
#include "database/lmdb_source.h"

/* students {id, name}; allergies {id, code, severity, status?}, by severity; visits {id, date?}, by activity. */
extern const struct record_table SCHOOL_STUDENTS;
extern const struct record_table SCHOOL_ALLERGIES;
extern const struct record_table SCHOOL_VISITS;
extern const struct record_type SCHOOL_STUDENT;
extern const struct record_type SCHOOL_ALLERGY_LIST; /* by id */
extern const struct record_type SCHOOL_VISIT_LIST;   /* newest first */
extern const struct record_type SCHOOL_SUMMARY;      /* student; allergies that are active; the latest two visits */

/* A small configuration over the folder `path`, without hooks. */
struct lmdb_config school_config(const char *path);

/* An environment of these tables, without a source around it, made new for each test. */
enum { SCHOOL_MAP_SIZE = 4 << 20 }; /* may grow to 16 times that */
struct school_env {
        char path[64];
        struct lmdb_schema schema;
        struct lmdb_env *env;
};

/* Set-up and tear-down of cmocka_unit_test_setup_teardown: *state is a struct school_env. */
int school_env_setup(void **state);
int school_env_teardown(void **state);

/* Opens the source; fails the test with the message when it cannot be. */
struct source *school_open(const struct lmdb_config *config);

/* Applies the write, waits until it is done, returns its status. */
enum err school_apply(struct source *source, struct source_write *write);

/* PUT of a JSON value by write->type and write->id; condition and tenant are the caller's too. */
enum err school_put(struct source *source, struct source_write *write, const char *json);
/* The same, which must succeed. */
void school_must_put(struct source *source, const struct record_type *type, const char *student, const char *json);

/* IMPORT of JSON rows; fills *write. */
enum err school_import(
        struct source *source, struct source_write *write, const struct record_table *table, const char *json);

/* Reads one key; the caller frees out->value. */
enum err school_read(
        struct source *source, const struct record_type *type, struct slice student, struct source_read *out);

/* Fails unless the key's value is, in JSON, `expected`; NULL: no such student. */
void school_expect(struct source *source, const struct record_type *type, const char *student, const char *expected);

/* Fails unless the deep check finds nothing wrong. */
struct source_health school_sound(struct source *source);

/* The end of a test: the same check; then closes the source and removes its folder. */
void school_end(struct source **source, const char *path);

#endif
