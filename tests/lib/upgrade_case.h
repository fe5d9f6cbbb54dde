/* Databases of the first format and of an older schema, and upgrades of them. What fails ends the test. */
#ifndef TESTS_LIB_UPGRADE_CASE_H
#define TESTS_LIB_UPGRADE_CASE_H

#include "database/backup.h"
#include "database/upgrade.h"
#include "tests/lib/school.h"

/* Record types: students of schema 1, and shots of schema 1, of schema 2, of it with another preset, of schema 3. */
extern const char UPGRADE_CASE_BEFORE[];
extern const char UPGRADE_CASE_NOW[];
extern const char UPGRADE_CASE_OTHER[];
extern const char UPGRADE_CASE_THIRD[];

struct upgrade_case {
        char path[64];   /* a folder for all of it */
        char folder[80]; /* the database's */
        char backup[160];
        struct record_types *types;
        struct lmdb_config config;
        struct upgrade_result result;
};

/* Set-up and tear-down of cmocka_unit_test_setup_teardown: *state is a struct upgrade_case, of UPGRADE_CASE_NOW. */
int upgrade_case_setup(void **state);
int upgrade_case_teardown(void **state);

/* From now on the record types are these. */
void upgrade_case_configure(struct upgrade_case *s, const char *configuration);

/* The database: of three students and five other records in format 1, its tables of this schema number. */
void upgrade_case_make_format1(struct upgrade_case *s, uint32_t schema);
/* The database: of one student and two shots in the present format, of UPGRADE_CASE_BEFORE. */
void upgrade_case_make_schema1(struct upgrade_case *s);
/* A commit more, which says that it is of this format. */
void upgrade_case_set_format(const char *folder, uint64_t format);

/* Upgrades it, with a backup or without. */
enum err upgrade_case_try(struct upgrade_case *s, bool backup, struct err_msg *msg) MUST_CHECK;
/* The same, which succeeds. */
void upgrade_case_run(struct upgrade_case *s);
/* The same, which is refused with both texts in the message. */
void upgrade_case_refuses(struct upgrade_case *s, enum err code, const char *first, const char *second);

/* A student's value of a type is this. */
void upgrade_case_expect(
        struct upgrade_case *s, struct source *source, const char *type, const char *student, const char *json);
/* All that upgrade_case_make_format1() made is there, in the form of UPGRADE_CASE_NOW. */
void upgrade_case_expect_all(struct upgrade_case *s);

/* What the backup at this path says. */
struct backup_facts upgrade_case_read_backup(const char *path);
/* Takes the backup of an upgrade that was killed behind it, at this time. */
void upgrade_case_back_up_at(struct upgrade_case *s, int64_t ms);

#endif
