/* Databases of the first format and of older schemas become what a new one would be; what cannot be is refused. */
#include "database/upgrade.h"

#include "tests/lib/format1.h"
#include "tests/lib/school.h"
#include "tests/lib/types.h"

#include "database/backup.h"

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

static const char BEFORE[] = "tables:\n" STUDENTS SHOTS(1) TYPES;
static const char NOW[] =
        "tables:\n" STUDENTS "  shots:\n"
        "    schema: 2\n"
        "    changes: {2: {rename: {label: display}}}\n"
        "    fields: {display: text, state: {kind: word, words: [refused, given], preset: given}}\n" TYPES;
static const char THIRD[] = "tables:\n" STUDENTS SHOTS(3) TYPES;

struct state {
        char path[64];
        char folder[80];
        char backup[160];
        struct record_types *types;
        struct lmdb_config config;
        struct upgrade_result result;
};

static void configure(struct state *s, const char *configuration)
{
        record_types_destroy(&s->types);
        s->types = types_from(configuration);
        s->config = school_config(s->folder);
        s->config.schema.tables = record_types_tables(s->types);
        s->config.schema.table_count = record_types_table_count(s->types);
        s->config.schema.students = record_types_students(s->types);
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        (void)snprintf(s->folder, sizeof(s->folder), "%s/db", s->path);
        (void)snprintf(s->backup, sizeof(s->backup), "%s/backup", s->path);
        assert_int_equal(mkdir(s->folder, 0700), 0);
        configure(s, NOW);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

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

static void make_format1(struct state *s, uint32_t schema)
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

static void make_schema1(struct state *s)
{
        struct source *source;

        configure(s, BEFORE);
        source = school_open(&s->config);
        school_must_put(source, record_types_find(s->types, slice_str("student")), "1", "{\"name\":\"Ada\"}");
        school_must_put(source, record_types_find(s->types, slice_str("shots")), "1",
                "[{\"id\":\"a\",\"label\":\"MMR\"},{\"id\":\"b\",\"label\":\"IPV\",\"state\":\"refused\"}]");
        source->ops->close(&source);
        configure(s, NOW);
}

/* ---- upgrading ---- */

static enum err upgrade_with(struct state *s, bool backup, struct err_msg *msg)
{
        const struct upgrade_plan plan = {
                .config = &s->config, .backup = s->backup, .without_backup = !backup, .now = {1000}};

        msg->text[0] = '\0';
        return upgrade_run(&plan, &s->result, msg);
}

static void upgrade(struct state *s)
{
        struct err_msg msg;
        enum err rc = upgrade_with(s, true, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
}

static void refuses(struct state *s, enum err code, const char *first, const char *second)
{
        struct err_msg msg;

        assert_err(code, upgrade_with(s, true, &msg));
        assert_non_null(strstr(msg.text, first));
        assert_non_null(strstr(msg.text, second));
}

static void expect(struct state *s, struct source *source, const char *type, const char *student, const char *json)
{
        school_expect(source, record_types_find(s->types, slice_str(type)), student, json);
}

static void expect_all(struct state *s)
{
        struct source *source = school_open(&s->config);
        struct source_health health = school_sound(source);

        assert_int_equal(health.students, 3);
        assert_int_equal(health.records, 8);
        expect(s, source, "student", "1", "{\"id\":\"1\",\"name\":\"Ada\"}");
        expect(s, source, "student", UUID, "{\"id\":\"" UUID "\",\"name\":\"Bo\"}");
        expect(s, source, "student", LONG_ID, "{\"id\":\"" LONG_ID "\",\"name\":\"Cy\"}");
        expect(s, source, "shots", "1",
                "[{\"id\":\"a\",\"display\":\"DTaP\",\"state\":\"refused\"},"
                "{\"id\":\"b\",\"display\":\"MMR\",\"state\":\"given\"}]");
        expect(s, source, "shots", UUID, "[{\"id\":\"" LONG_ID "\",\"display\":\"IPV\",\"state\":\"given\"}]");
        expect(s, source, "shots", LONG_ID, "[{\"id\":\"" UUID "\",\"display\":\"Hib\",\"state\":\"given\"}]");
        source->ops->close(&source);
}

static void format_1_becomes_the_present_one(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        upgrade(s);
        assert_true(s->result.survey.needed);
        assert_int_equal(s->result.survey.format, 1);
        assert_int_equal(s->result.survey.records, 8);
        assert_int_equal(s->result.health.records, 8);
        expect_all(s);
}

/* Also those of tables that no configuration knows any more: erasing a student must find them. */
static void nothing_of_a_student_is_forgotten(void **state)
{
        struct state *s = *state;
        struct source_write write = {.kind = WRITE_ERASE_STUDENT, .id = slice_str("1")};
        struct source *source;

        make_format1(s, 1);
        upgrade(s);
        source = school_open(&s->config);
        assert_ok(school_apply(source, &write));
        assert_int_equal(school_sound(source).records, 4);
        source->ops->close(&source);
}

static void records_of_the_schema_before_are_written_anew(void **state)
{
        struct state *s = *state;
        struct source *source;

        make_schema1(s);
        upgrade(s);
        assert_true(s->result.survey.needed);
        assert_int_equal(s->result.survey.older, 2);
        assert_int_equal(s->result.survey.records, 3);
        upgrade(s);
        assert_false(s->result.survey.needed);
        source = school_open(&s->config);
        expect(s, source, "shots", "1",
                "[{\"id\":\"a\",\"display\":\"MMR\",\"state\":\"given\"},"
                "{\"id\":\"b\",\"display\":\"IPV\",\"state\":\"refused\"}]");
        (void)school_sound(source);
        source->ops->close(&source);
}

/* A server of this configuration has opened it: the tables' number is the present one, their records' is not yet. */
static void a_database_that_was_served_already_is_upgraded_as_well(void **state)
{
        struct state *s = *state;
        struct source *source;

        make_schema1(s);
        source = school_open(&s->config);
        source->ops->close(&source);
        upgrade(s);
        assert_int_equal(s->result.survey.older, 2);
        upgrade(s);
        assert_false(s->result.survey.needed);
}

static void positions_go_on(void **state)
{
        struct state *s = *state;
        struct source *source;
        uint64_t before;

        make_schema1(s);
        source = school_open(&s->config);
        before = school_sound(source).last_position;
        source->ops->close(&source);
        upgrade(s);
        source = school_open(&s->config);
        assert_true(school_sound(source).last_position > before);
        source->ops->close(&source);
}

static void there_may_be_nothing_to_do(void **state)
{
        struct state *s = *state;
        struct source *source = school_open(&s->config);

        source->ops->close(&source);
        upgrade(s);
        assert_false(s->result.survey.needed);
        assert_string_equal(s->result.backup, "");
        assert_int_not_equal(access(s->backup, F_OK), 0);
}

/* ---- what cannot be ---- */

static void refuses_what_it_cannot_do_and_says_what_would_be_right(void **state)
{
        struct state *s = *state;

        refuses(s, ERR_NOTFOUND, "no database", s->folder);
        make_format1(s, 3);
        refuses(s, ERR_VERSION, "schema 3", "or a newer one");
        assert_int_not_equal(access(s->backup, F_OK), 0);
}

static void refuses_a_schema_two_steps_back(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        configure(s, THIRD);
        refuses(s, ERR_VERSION, "schema 1", "a release of schema 2 first");
}

static void set_format(const char *folder, uint64_t format)
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

static void refuses_a_newer_format(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        set_format(s->folder, 9);
        refuses(s, ERR_VERSION, "format 9", "formats 1 to 2");
}

static void refuses_a_damaged_record_and_leaves_the_old_database(void **state)
{
        struct state *s = *state;
        struct format1 *f = format1_create(s->folder, 1);
        struct err_msg msg;

        put(f, "students", "{\"student\":\"1\",\"id\":\"1\",\"name\":\"Ada\"}");
        put(f, "shots", "{\"student\":\"unknown\",\"id\":\"a\",\"label\":\"MMR\"}"); /* of nobody */
        (void)format1_finish(&f);
        assert_err(ERR_CORRUPT, upgrade_with(s, true, &msg));
        assert_non_null(strstr(msg.text, "do not fit together"));
        assert_err(ERR_CORRUPT, upgrade_with(s, true, &msg)); /* still there, of the old format */
        assert_int_equal(s->result.survey.format, 1);
}

/* ---- the backup ---- */

static struct backup_facts read_backup(const char *path)
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

static void a_backup_of_what_there_was_is_taken_first(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        upgrade(s);
        assert_string_equal(s->result.backup, s->backup);
        assert_int_equal(read_backup(s->backup).image.format, 1);
        assert_int_equal(read_backup(s->backup).image.records, 8);
}

static void by_default_it_stands_beside_the_folder(void **state)
{
        struct state *s = *state;
        struct upgrade_plan plan = {.config = &s->config, .now = {1000}};

        make_format1(s, 1);
        assert_ok(upgrade_run(&plan, &s->result, NULL));
        assert_memory_equal(s->result.backup, s->folder, strlen(s->folder));
        assert_int_equal(read_backup(s->result.backup).image.records, 8);
}

/* An upgrade that was killed behind its backup has left it; one of another database is not taken for it. */
static void back_up_at(struct state *s, int64_t ms)
{
        struct backup_facts facts;

        backup_facts_init(&facts);
        assert_ok(backup_save(s->folder, s->backup, (struct wall){ms}, &facts, NULL));
        backup_facts_deinit(&facts);
}

static void one_that_is_there_is_used_when_it_is_of_this_database(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        back_up_at(s, 5000);
        upgrade(s);
        assert_string_equal(read_backup(s->backup).time, "1970-01-01T00:00:05.000Z");
}

static void one_of_another_state_is_not(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        back_up_at(s, 5000);
        set_format(s->folder, 1); /* a commit later */
        upgrade(s);
        assert_string_equal(read_backup(s->backup).time, "1970-01-01T00:00:01.000Z");
}

static void none_is_taken_where_none_is_wanted(void **state)
{
        struct state *s = *state;
        struct err_msg msg;

        make_format1(s, 1);
        assert_ok(upgrade_with(s, false, &msg));
        assert_string_equal(s->result.backup, "");
        assert_int_not_equal(access(s->backup, F_OK), 0);
        expect_all(s);
}

static void without_room_for_it_nothing_is_done(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        (void)snprintf(s->backup, sizeof(s->backup), "%s/nowhere/backup", s->path);
        refuses(s, ERR_IO, "nowhere", "No such file");
        (void)snprintf(s->backup, sizeof(s->backup), "%s/backup", s->path);
        upgrade(s);
        expect_all(s);
}

static enum err copy_only(void *context)
{
        struct state *s = context;
        struct lmdb_upgrade_survey survey;
        char to[96];
        struct lmdb_upgrade_plan plan = {s->folder, to, &s->config.schema, &survey};
        enum err rc = lmdb_upgrade_look(s->folder, &s->config.schema, &survey, NULL);

        (void)snprintf(to, sizeof(to), "%s/copy", s->path);
        assert_int_equal(mkdir(to, 0700), 0);
        if (rc == OK)
                rc = lmdb_upgrade_copy(&plan, NULL);
        temp_dir_remove(to);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        struct state *s = *state;

        make_format1(s, 1);
        each_allocation_fails(copy_only, s);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(format_1_becomes_the_present_one),
                WITH(nothing_of_a_student_is_forgotten),
                WITH(records_of_the_schema_before_are_written_anew),
                WITH(a_database_that_was_served_already_is_upgraded_as_well),
                WITH(positions_go_on),
                WITH(there_may_be_nothing_to_do),
                WITH(refuses_what_it_cannot_do_and_says_what_would_be_right),
                WITH(refuses_a_schema_two_steps_back),
                WITH(refuses_a_newer_format),
                WITH(refuses_a_damaged_record_and_leaves_the_old_database),
                WITH(a_backup_of_what_there_was_is_taken_first),
                WITH(by_default_it_stands_beside_the_folder),
                WITH(one_that_is_there_is_used_when_it_is_of_this_database),
                WITH(one_of_another_state_is_not),
                WITH(none_is_taken_where_none_is_wanted),
                WITH(without_room_for_it_nothing_is_done),
                WITH(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
