/* Upgrades that are killed, and run again: they go on where they came to, and end as if nothing had been. */
#include "database/lmdb_upgrade.h"

#include "tests/lib/upgrade_case.h"

#include <lmdb.h>

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
        ONE = 1,  /* bytes of a step: each entry is one */
        SOME = 9, /* steps: some records are copied, and some are not */
};

/* What the watch is told, and when it ends the process. */
struct told {
        uint64_t steps_left; /* 0: it lives on */
        uint64_t before;
        uint64_t steps;
        char why[80];
};

static void goes_on(void *context, uint64_t records)
{
        struct told *told = context;

        told->before = records;
}

static void begins_anew(void *context, const char *why)
{
        struct told *told = context;

        (void)snprintf(told->why, sizeof(told->why), "%s", why);
}

static void copied(void *context, uint64_t records)
{
        struct told *told = context;

        (void)records;
        told->steps++;
        if (told->steps_left > 0 && --told->steps_left == 0)
                (void)raise(SIGKILL);
}

static enum err upgrade_told(struct upgrade_case *s, struct told *told, size_t step)
{
        const struct lmdb_upgrade_watch watch = {goes_on, begins_anew, copied, told};
        const struct upgrade_plan plan = {
                .config = &s->config, .backup = s->backup, .now = {1000}, .watch = &watch, .step_bytes = step};

        return upgrade_run(&plan, &s->result, NULL);
}

/* Upgrades in a process of its own, which is killed when so many steps are durable. False: it came to its end. */
static bool killed_after(struct upgrade_case *s, uint64_t steps)
{
        struct told told = {.steps_left = steps};
        pid_t child = fork();
        int status;

        assert_true(child >= 0);
        if (child == 0)
                _exit(upgrade_told(s, &told, ONE) == OK ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFSIGNALED(status))
                return true;
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
}

static uint64_t copied_by(struct upgrade_case *s)
{
        struct told told = {.steps = 0};

        assert_ok(upgrade_told(s, &told, ONE));
        assert_string_equal(told.why, "");
        assert_int_equal(told.before, s->result.copied.before);
        assert_int_equal(s->result.copied.before + s->result.copied.now, s->result.survey.records);
        return s->result.copied.now;
}

/* All entries of all parts but `meta`, one after the other. */
static void entries_of(MDB_txn *txn, MDB_val part, struct buf *out)
{
        char name[16];
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        MDB_dbi dbi;

        (void)snprintf(name, sizeof(name), "%.*s", (int)part.mv_size, (const char *)part.mv_data);
        if (strcmp(name, "meta") == 0)
                return;
        assert_ok(buf_append_slice(out, slice_str(name)));
        assert_int_equal(mdb_dbi_open(txn, name, 0, &dbi), 0);
        assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
                assert_ok(buf_append_slice(out, slice_of(key.mv_data, key.mv_size)));
                assert_ok(buf_append_slice(out, slice_of(value.mv_data, value.mv_size)));
        }
        mdb_cursor_close(cursor);
}

static void contents(const char *folder, struct buf *out)
{
        MDB_cursor *cursor;
        MDB_env *mdb;
        MDB_txn *txn;
        MDB_dbi parts;
        MDB_val part;
        MDB_val value;

        buf_truncate(out, 0);
        assert_int_equal(mdb_env_create(&mdb), 0);
        assert_int_equal(mdb_env_set_maxdbs(mdb, 8), 0);
        assert_int_equal(mdb_env_open(mdb, folder, MDB_RDONLY, 0600), 0);
        assert_int_equal(mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, NULL, 0, &parts), 0);
        assert_int_equal(mdb_cursor_open(txn, parts, &cursor), 0);
        while (mdb_cursor_get(cursor, &part, &value, MDB_NEXT) == 0)
                entries_of(txn, part, out);
        mdb_cursor_close(cursor);
        mdb_txn_abort(txn);
        mdb_env_close(mdb);
}

static void expect_same_as_uninterrupted(struct upgrade_case *s, void (*make)(struct upgrade_case *s))
{
        struct buf interrupted;
        struct buf whole;

        buf_init(&interrupted, 0);
        buf_init(&whole, 0);
        contents(s->folder, &interrupted);
        temp_dir_remove(s->folder);
        assert_int_equal(mkdir(s->folder, 0700), 0);
        assert_int_equal(unlink(s->backup), 0);
        make(s);
        upgrade_case_run(s);
        contents(s->folder, &whole);
        assert_true(buf_len(&whole) > 0);
        assert_int_equal(buf_len(&interrupted), buf_len(&whole));
        assert_memory_equal(interrupted.data + interrupted.start, whole.data + whole.start, buf_len(&whole));
        buf_deinit(&interrupted);
        buf_deinit(&whole);
}

static void make_first(struct upgrade_case *s)
{
        upgrade_case_make_format1(s, 1);
}

/* Each run copies one entry more and dies: they come to an end only because none begins again. */
static void dies_at_each_step(struct upgrade_case *s, void (*make)(struct upgrade_case *s))
{
        enum { RUNS_MAX = 200 };
        uint64_t runs = 0;

        make(s);
        while (killed_after(s, 1))
                assert_true(++runs < RUNS_MAX);
        assert_true(runs > 3);
        expect_same_as_uninterrupted(s, make);
}

static void one_of_format_1_may_die_at_each_step(void **state)
{
        dies_at_each_step(*state, make_first);
        upgrade_case_expect_all(*state);
}

static void one_of_an_older_schema_may_die_at_each_step(void **state)
{
        dies_at_each_step(*state, upgrade_case_make_schema1);
}

static void what_was_copied_is_not_copied_again(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        assert_true(killed_after(s, SOME));
        assert_in_range(copied_by(s), 1, 7);
        upgrade_case_expect_all(s);
}

/* The last step made it whole: it is checked and put in its place, nothing more. */
static void a_whole_copy_is_put_in_its_place(void **state)
{
        struct upgrade_case *s = *state;
        struct told told = {.steps = 0};
        char other[96];

        upgrade_case_make_format1(s, 1);
        (void)snprintf(other, sizeof(other), "%s/other", s->path);
        assert_int_equal(mkdir(other, 0700), 0);
        assert_int_equal(rename(s->folder, other), 0);
        assert_int_equal(mkdir(s->folder, 0700), 0);
        upgrade_case_make_format1(s, 1);
        assert_ok(upgrade_told(s, &told, ONE)); /* how many steps there are */
        temp_dir_remove(s->folder);
        assert_int_equal(rename(other, s->folder), 0);
        assert_int_equal(unlink(s->backup), 0);
        assert_true(killed_after(s, told.steps));
        assert_int_equal(copied_by(s), 0);
        assert_int_equal(s->result.copied.before, 8);
        upgrade_case_expect_all(s);
        upgrade_case_run(s);
        assert_false(s->result.survey.needed);
}

static void its_backup_is_not_taken_again(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_back_up_at(s, 5000);
        assert_true(killed_after(s, 3));
        (void)copied_by(s);
        assert_string_equal(upgrade_case_read_backup(s->backup).time, "1970-01-01T00:00:05.000Z");
}

static void expect_anew(struct upgrade_case *s, const char *why)
{
        struct told told = {.steps = 0};

        assert_ok(upgrade_told(s, &told, ONE));
        assert_string_equal(told.why, why);
        assert_int_equal(told.before, 0);
        assert_int_equal(s->result.copied.before, 0);
        assert_int_equal(s->result.copied.now, s->result.survey.records);
}

static void a_copy_of_another_state_is_begun_anew(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        assert_true(killed_after(s, SOME));
        upgrade_case_set_format(s->folder, 1); /* a commit later */
        expect_anew(s, "the database has changed since");
        upgrade_case_expect_all(s);
}

static void a_copy_for_other_types_is_begun_anew(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        upgrade_case_configure(s, UPGRADE_CASE_OTHER);
        assert_true(killed_after(s, SOME));
        upgrade_case_configure(s, UPGRADE_CASE_NOW);
        expect_anew(s, "it is for other record types, or by another release");
        upgrade_case_expect_all(s);
}

static void what_is_no_copy_is_begun_anew(void **state)
{
        struct upgrade_case *s = *state;
        char path[160];
        FILE *file;

        upgrade_case_make_format1(s, 1);
        (void)snprintf(path, sizeof(path), "%s/upgrade.tmp", s->folder);
        assert_int_equal(mkdir(path, 0700), 0);
        (void)snprintf(path, sizeof(path), "%s/upgrade.tmp/data.mdb", s->folder);
        file = fopen(path, "w");
        assert_non_null(file);
        for (int i = 0; i < 10000; i++)
                assert_true(fputs("no database ", file) >= 0);
        assert_int_equal(fclose(file), 0);
        expect_anew(s, "it is damaged, or does not say what it is of");
        upgrade_case_expect_all(s);
}

/* The wrong configuration, no room for the backup: what was copied is there when that is mended. */
static void a_refusal_leaves_what_was_copied(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        assert_true(killed_after(s, SOME));
        upgrade_case_configure(s, UPGRADE_CASE_THIRD);
        upgrade_case_refuses(s, ERR_VERSION, "schema 1", "a release of schema 2 first");
        upgrade_case_configure(s, UPGRADE_CASE_NOW);
        assert_in_range(copied_by(s), 1, 7);
        upgrade_case_expect_all(s);
}

static enum err copy_only(void *context)
{
        struct upgrade_case *s = context;
        struct lmdb_upgrade_survey survey;
        char to[96];
        struct lmdb_upgrade_plan plan = {.from = s->folder, .to = to, .schema = &s->config.schema, .survey = &survey};
        struct lmdb_upgrade_copied copied;
        enum err rc = lmdb_upgrade_look(s->folder, &s->config.schema, &survey, NULL);

        (void)snprintf(to, sizeof(to), "%s/copy", s->path);
        assert_int_equal(mkdir(to, 0700), 0);
        if (rc == OK)
                rc = lmdb_upgrade_copy(&plan, &copied, NULL);
        temp_dir_remove(to);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        struct upgrade_case *s = *state;

        upgrade_case_make_format1(s, 1);
        each_allocation_fails(copy_only, s);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, upgrade_case_setup, upgrade_case_teardown)
        const struct CMUnitTest tests[] = {
                WITH(one_of_format_1_may_die_at_each_step),
                WITH(one_of_an_older_schema_may_die_at_each_step),
                WITH(what_was_copied_is_not_copied_again),
                WITH(a_whole_copy_is_put_in_its_place),
                WITH(its_backup_is_not_taken_again),
                WITH(a_copy_of_another_state_is_begun_anew),
                WITH(a_copy_for_other_types_is_begun_anew),
                WITH(what_is_no_copy_is_begun_anew),
                WITH(a_refusal_leaves_what_was_copied),
                WITH(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
