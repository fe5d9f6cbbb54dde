#include "tests/lib/upgrade_case.h"

#include "tests/lib/format1.h"
#include "tests/lib/types.h"

#include <lmdb.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_ID                                                                                                        \
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"                               \
        "abcdefghijklmnopqrstuvwxyz"
#define UUID "0a1b2c3d-0000-4000-8000-0123456789ab"

#define STUDENTS      "  students: {schema: 1, fields: {name: text}}\n"
#define TYPES         "types:\n  student: {shape: one, table: students}\n  shots: {shape: list, table: shots}\n"
#define SHOTS(schema) "  shots: {schema: " #schema ", fields: {label: text, state: text}}\n"

const char UPGRADE_CASE_BEFORE[] = "tables:\n" STUDENTS SHOTS(1) TYPES;
#define TWO(state)                                                                                                     \
        "tables:\n" STUDENTS "  shots:\n"                                                                              \
        "    schema: 2\n"                                                                                              \
        "    changes: {2: {rename: {label: display}}}\n"                                                               \
        "    fields: {display: text, state: {kind: word, words: [refused, given], preset: " state "}}\n" TYPES

const char UPGRADE_CASE_NOW[] = TWO("given");
const char UPGRADE_CASE_OTHER[] = TWO("refused");
const char UPGRADE_CASE_THIRD[] = "tables:\n" STUDENTS SHOTS(3) TYPES;

void upgrade_case_configure(struct upgrade_case *s, const char *configuration)
{
        record_types_destroy(&s->types);
        s->types = types_from(configuration);
        s->config = school_config(s->folder);
        s->config.schema.tables = record_types_tables(s->types);
        s->config.schema.table_count = record_types_table_count(s->types);
        s->config.schema.students = record_types_students(s->types);
}

int upgrade_case_setup(void **state)
{
        struct upgrade_case *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        (void)snprintf(s->folder, sizeof(s->folder), "%s/db", s->path);
        (void)snprintf(s->backup, sizeof(s->backup), "%s/backup", s->path);
        assert_int_equal(mkdir(s->folder, 0700), 0);
        upgrade_case_configure(s, UPGRADE_CASE_NOW);
        *state = s;
        return 0;
}

int upgrade_case_teardown(void **state)
{
        struct upgrade_case *s = *state;

        record_types_destroy(&s->types);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

/* ---- databases of before ---- */

static void put(struct format1 *f, const char *table, const char *row)
{
        format1_put(f, table, slice_str(row));
}

void upgrade_case_make_format1(struct upgrade_case *s, uint32_t schema)
{
        struct format1 *f = format1_create(s->folder, schema);

        put(f, "students", "{\"student\":\"1\",\"id\":\"1\",\"name\":\"Ada\"}");
        put(f, "students", "{\"student\":\"" UUID "\",\"id\":\"" UUID "\",\"name\":\"Bo\"}");
        put(f, "students", "{\"student\":\"" LONG_ID "\",\"id\":\"" LONG_ID "\",\"name\":\"Cy\"}");
        put(f, "shots", "{\"student\":\"1\",\"id\":\"b\",\"label\":\"MMR\"}");
        put(f, "shots", "{\"student\":\"1\",\"id\":\"a\",\"label\":\"DTaP\",\"state\":\"refused\"}");
        put(f, "shots", "{\"student\":\"" UUID "\",\"id\":\"" LONG_ID "\",\"label\":\"IPV\"}");
        put(f, "shots", "{\"student\":\"" LONG_ID "\",\"id\":\"" UUID "\",\"label\":\"Hib\"}");
        put(f, "forgotten", "{\"student\":\"1\",\"id\":\"x\",\"kept\":true}");
        assert_int_equal(format1_finish(&f), 8);
}

void upgrade_case_make_schema1(struct upgrade_case *s)
{
        struct source *source;

        upgrade_case_configure(s, UPGRADE_CASE_BEFORE);
        source = school_open(&s->config);
        school_must_put(source, record_types_find(s->types, slice_str("student")), "1", "{\"name\":\"Ada\"}");
        school_must_put(source, record_types_find(s->types, slice_str("shots")), "1",
                "[{\"id\":\"a\",\"label\":\"MMR\"},{\"id\":\"b\",\"label\":\"IPV\",\"state\":\"refused\"}]");
        source->ops->close(&source);
        upgrade_case_configure(s, UPGRADE_CASE_NOW);
}

/* ---- upgrading ---- */

enum err upgrade_case_try(struct upgrade_case *s, bool backup, struct err_msg *msg)
{
        const struct upgrade_plan plan = {
                .config = &s->config, .backup = s->backup, .without_backup = !backup, .now = {1000}};

        msg->text[0] = '\0';
        return upgrade_run(&plan, &s->result, msg);
}

void upgrade_case_run(struct upgrade_case *s)
{
        struct err_msg msg;
        enum err rc = upgrade_case_try(s, true, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
}

void upgrade_case_refuses(struct upgrade_case *s, enum err code, const char *first, const char *second)
{
        struct err_msg msg;

        assert_err(code, upgrade_case_try(s, true, &msg));
        assert_non_null(strstr(msg.text, first));
        assert_non_null(strstr(msg.text, second));
}

void upgrade_case_expect(
        struct upgrade_case *s, struct source *source, const char *type, const char *student, const char *json)
{
        school_expect(source, record_types_find(s->types, slice_str(type)), student, json);
}

void upgrade_case_expect_all(struct upgrade_case *s)
{
        struct source *source = school_open(&s->config);
        struct source_health health = school_sound(source);

        assert_int_equal(health.students, 3);
        assert_int_equal(health.records, 8);
        upgrade_case_expect(s, source, "student", "1", "{\"id\":\"1\",\"name\":\"Ada\"}");
        upgrade_case_expect(s, source, "student", UUID, "{\"id\":\"" UUID "\",\"name\":\"Bo\"}");
        upgrade_case_expect(s, source, "student", LONG_ID, "{\"id\":\"" LONG_ID "\",\"name\":\"Cy\"}");
        upgrade_case_expect(s, source, "shots", "1",
                "[{\"id\":\"a\",\"display\":\"DTaP\",\"state\":\"refused\"},"
                "{\"id\":\"b\",\"display\":\"MMR\",\"state\":\"given\"}]");
        upgrade_case_expect(
                s, source, "shots", UUID, "[{\"id\":\"" LONG_ID "\",\"display\":\"IPV\",\"state\":\"given\"}]");
        upgrade_case_expect(
                s, source, "shots", LONG_ID, "[{\"id\":\"" UUID "\",\"display\":\"Hib\",\"state\":\"given\"}]");
        source->ops->close(&source);
}

void upgrade_case_set_format(const char *folder, uint64_t format)
{
        uint8_t bytes[8] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)format};
        MDB_val key = {6, "format"};
        MDB_val value = {sizeof(bytes), bytes};
        MDB_env *mdb;
        MDB_txn *txn;
        MDB_dbi meta;

        assert_int_equal(mdb_env_create(&mdb), 0);
        assert_int_equal(mdb_env_set_maxdbs(mdb, 8), 0);
        assert_int_equal(mdb_env_open(mdb, folder, 0, 0600), 0);
        assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
        assert_int_equal(mdb_put(txn, meta, &key, &value, 0), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
        mdb_env_close(mdb);
}

/* ---- the backup ---- */

struct backup_facts upgrade_case_read_backup(const char *path)
{
        struct backup_input input = {.name = path, .fd = open(path, O_RDONLY)};
        struct backup_facts facts;

        assert_true(input.fd >= 0);
        backup_facts_init(&facts);
        assert_ok(backup_read(&input, -1, &facts, NULL));
        backup_facts_deinit(&facts);
        close(input.fd);
        return facts;
}

/* An upgrade that was killed behind its backup has left it; one of another database is not taken for it. */
void upgrade_case_back_up_at(struct upgrade_case *s, int64_t ms)
{
        struct backup_facts facts;

        backup_facts_init(&facts);
        assert_ok(backup_save(s->folder, s->backup, (struct wall){ms}, &facts, NULL));
        backup_facts_deinit(&facts);
}
