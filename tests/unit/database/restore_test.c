/* Restoring and compacting change a folder at once or not at all, whatever goes wrong on the way. */
#include "database/restore.h"

#include "tests/lib/school.h"

#include "database/compact.h"
#include "database/lmdb_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASIDE_SIZE = 256 };

struct state {
        char path[64];
        char folder[80]; /* with a database of one student, Ada */
        char other[80];  /* not there yet */
        char file[80];   /* a backup of the first */
        struct lmdb_config config;
};

static void put_name(const char *folder, const char *json)
{
        struct lmdb_config config = school_config(folder);
        struct source *source = school_open(&config);

        school_must_put(source, &SCHOOL_STUDENT, "1", json);
        source->ops->close(&source);
}

static void expect_name(const char *folder, const char *name)
{
        struct lmdb_config config = school_config(folder);
        struct source *source = school_open(&config);
        char json[64];

        (void)snprintf(json, sizeof(json), "{\"id\":\"1\",\"name\":\"%s\"}", name);
        school_expect(source, &SCHOOL_STUDENT, "1", json);
        (void)school_sound(source);
        source->ops->close(&source);
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));
        struct backup_facts facts;

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        (void)snprintf(s->folder, sizeof(s->folder), "%s/db", s->path);
        (void)snprintf(s->other, sizeof(s->other), "%s/other", s->path);
        (void)snprintf(s->file, sizeof(s->file), "%s/backup", s->path);
        put_name(s->folder, "{\"name\":\"Ada\"}");
        backup_facts_init(&facts);
        assert_ok(backup_save(s->folder, s->file, (struct wall){0}, &facts, NULL));
        backup_facts_deinit(&facts);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        temp_dir_remove(s->path);
        free(s);
        return 0;
}

static bool exists(const char *folder, const char *name)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        return access(path, F_OK) == 0;
}

/* Restores the backup into the folder; `aside` of ASIDE_SIZE or NULL. */
static enum err restore_into(struct state *s, const char *folder, bool replace, char *aside, struct err_msg *msg)
{
        struct restore_plan plan = {.input = {.name = s->file}, .config = &s->config, .replace = replace};
        struct restore_result result;
        enum err rc;

        s->config = school_config(folder);
        plan.input.fd = open(s->file, O_RDONLY);
        restore_result_init(&result);
        rc = restore_run(&plan, &result, msg);
        assert_true(strlen(result.aside) < ASIDE_SIZE);
        if (aside != NULL)
                memcpy(aside, result.aside, strlen(result.aside) + 1);
        assert_true(rc != OK || (result.checked && result.health.students == 1));
        restore_result_deinit(&result);
        close(plan.input.fd);
        return rc;
}

static void restores_into_a_folder_that_is_made(void **state)
{
        struct state *s = *state;

        assert_ok(restore_into(s, s->other, false, NULL, NULL));
        assert_false(exists(s->other, "restore.tmp"));
        expect_name(s->other, "Ada");
}

static void restores_into_an_empty_folder(void **state)
{
        struct state *s = *state;

        assert_int_equal(mkdir(s->other, 0700), 0);
        assert_ok(restore_into(s, s->other, false, NULL, NULL));
        expect_name(s->other, "Ada");
}

static void leaves_a_database_unless_it_is_to_be_replaced(void **state)
{
        struct state *s = *state;
        struct err_msg msg;
        char aside[ASIDE_SIZE];

        put_name(s->other, "{\"name\":\"Bo\"}");
        assert_err(ERR_BADARG, restore_into(s, s->other, false, NULL, &msg));
        assert_non_null(strstr(msg.text, "--replace"));
        expect_name(s->other, "Bo");
        assert_ok(restore_into(s, s->other, true, aside, NULL));
        expect_name(s->other, "Ada");
        expect_name(aside, "Bo");
        assert_ok(restore_into(s, s->other, true, aside, NULL)); /* in the same second */
        assert_non_null(strstr(aside, "Z-2"));
        expect_name(s->other, "Ada");
        expect_name(aside, "Ada");
}

static void leaves_no_folder_behind_when_the_backup_is_broken(void **state)
{
        struct state *s = *state;

        assert_int_equal(truncate(s->file, 5000), 0);
        assert_err(ERR_CORRUPT, restore_into(s, s->other, false, NULL, NULL));
        assert_false(exists(s->path, "other"));
        assert_int_equal(mkdir(s->other, 0700), 0);
        assert_err(ERR_CORRUPT, restore_into(s, s->other, false, NULL, NULL));
        assert_true(exists(s->path, "other"));
        assert_false(exists(s->other, "restore.tmp"));
        assert_false(exists(s->other, "data.mdb"));
}

static void what_a_killed_run_left_is_cleared(void **state)
{
        struct state *s = *state;
        char left[96];

        assert_int_equal(mkdir(s->other, 0700), 0);
        (void)snprintf(left, sizeof(left), "%s/restore.tmp", s->other);
        put_name(left, "{\"name\":\"Bo\"}");
        assert_ok(restore_into(s, s->other, false, NULL, NULL));
        assert_false(exists(s->other, "restore.tmp"));
        expect_name(s->other, "Ada");
}

static void a_path_that_is_no_folder_is_named(void **state)
{
        struct state *s = *state;
        struct err_msg msg;

        assert_err(ERR_IO, restore_into(s, s->file, false, NULL, &msg));
        assert_non_null(strstr(msg.text, "is not a folder"));
}

/* ---- locks ---- */

static void is_refused_where_a_server_runs(void **state)
{
        struct state *s = *state;
        struct compact_result result;
        int fd;

        s->config = school_config(s->folder);
        assert_ok(lmdb_lock_take(s->folder, &fd, NULL));
        assert_err(ERR_LOCKED, restore_into(s, s->folder, true, NULL, NULL));
        assert_err(ERR_LOCKED, compact_run(&s->config, &result, NULL));
        lmdb_lock_release(&fd);
        assert_ok(compact_run(&s->config, &result, NULL));
}

/* A backup that reads the file holds a shared lock on it. */
static void is_refused_while_a_backup_is_taken(void **state)
{
        struct state *s = *state;
        struct compact_result result;
        struct err_msg msg;
        char data[96];
        int fd;

        s->config = school_config(s->folder);
        (void)snprintf(data, sizeof(data), "%s/data.mdb", s->folder);
        fd = open(data, O_RDONLY);
        assert_int_equal(flock(fd, LOCK_SH), 0);
        assert_err(ERR_LOCKED, compact_run(&s->config, &result, &msg));
        assert_non_null(strstr(msg.text, "backup"));
        close(fd);
        expect_name(s->folder, "Ada");
}

static void a_backup_is_refused_while_the_file_is_replaced(void **state)
{
        struct state *s = *state;
        struct backup_facts facts;
        struct err_msg msg;
        char data[96];
        int fd;

        (void)snprintf(data, sizeof(data), "%s/data.mdb", s->folder);
        fd = open(data, O_RDONLY);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        backup_facts_init(&facts);
        assert_err(ERR_LOCKED, backup_save(s->folder, s->file, (struct wall){0}, &facts, &msg));
        assert_non_null(strstr(msg.text, "being replaced"));
        backup_facts_deinit(&facts);
        close(fd);
}

/* ---- compaction ---- */

static void compaction_keeps_records_and_positions(void **state)
{
        struct state *s = *state;
        struct compact_result result;
        struct source *source;
        uint64_t before;

        s->config = school_config(s->folder);
        source = school_open(&s->config);
        for (int i = 0; i < 50; i++)
                school_must_put(source, &SCHOOL_STUDENT, "1", i % 2 == 0 ? "{\"name\":\"Bo\"}" : "{\"name\":\"Ada\"}");
        before = school_sound(source).last_position;
        source->ops->close(&source);
        assert_ok(compact_run(&s->config, &result, NULL));
        assert_true(result.bytes_after <= result.bytes_before);
        assert_int_equal(result.health.students, 1);
        assert_false(exists(s->folder, "compact.tmp"));
        source = school_open(&s->config);
        assert_true(school_sound(source).last_position > before);
        source->ops->close(&source);
        expect_name(s->folder, "Ada");
}

static void compaction_needs_a_database(void **state)
{
        struct state *s = *state;
        struct compact_result result;
        struct err_msg msg;

        s->config = school_config(s->other);
        assert_err(ERR_NOTFOUND, compact_run(&s->config, &result, &msg));
        assert_non_null(strstr(msg.text, s->other));
        assert_int_equal(mkdir(s->other, 0700), 0);
        assert_err(ERR_NOTFOUND, compact_run(&s->config, &result, &msg));
        assert_false(exists(s->other, "compact.tmp"));
}

/* ---- a full disk ---- */

/* No file of this process grows past so many bytes. */
static void limit_files(rlim_t bytes)
{
        struct rlimit limit;

        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void on_a_full_disk_all_stays_as_it_was(void **state)
{
        struct state *s = *state;
        struct compact_result result;
        enum err compacted;
        enum err restored;
        void (*old)(int) = signal(SIGXFSZ, SIG_IGN);

        s->config = school_config(s->folder);
        limit_files(3 * 4096);
        compacted = compact_run(&s->config, &result, NULL);
        restored = restore_into(s, s->other, false, NULL, NULL);
        limit_files(RLIM_INFINITY);
        (void)signal(SIGXFSZ, old);
        assert_true(compacted == ERR_DISK_FULL || compacted == ERR_IO); /* IO: part of a write was taken */
        assert_err(ERR_DISK_FULL, restored);
        assert_false(exists(s->folder, "compact.tmp"));
        assert_false(exists(s->path, "other"));
        expect_name(s->folder, "Ada");
}

/* ---- memory ---- */

static enum err restore_once(void *context)
{
        struct state *s = context;
        enum err rc = restore_into(s, s->other, false, NULL, NULL);

        if (rc == OK)
                temp_dir_remove(s->other);
        assert_false(exists(s->path, "other"));
        return rc;
}

static enum err compact_once(void *context)
{
        struct state *s = context;
        struct compact_result result;

        return compact_run(&s->config, &result, NULL);
}

static void survives_each_failing_allocation(void **state)
{
        struct state *s = *state;

        each_allocation_fails(restore_once, s);
        s->config = school_config(s->folder);
        each_allocation_fails(compact_once, s);
        expect_name(s->folder, "Ada");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        const struct CMUnitTest tests[] = {
                WITH(restores_into_a_folder_that_is_made),
                WITH(restores_into_an_empty_folder),
                WITH(leaves_a_database_unless_it_is_to_be_replaced),
                WITH(leaves_no_folder_behind_when_the_backup_is_broken),
                WITH(what_a_killed_run_left_is_cleared),
                WITH(a_path_that_is_no_folder_is_named),
                WITH(is_refused_where_a_server_runs),
                WITH(is_refused_while_a_backup_is_taken),
                WITH(a_backup_is_refused_while_the_file_is_replaced),
                WITH(compaction_keeps_records_and_positions),
                WITH(compaction_needs_a_database),
                WITH(on_a_full_disk_all_stays_as_it_was),
                WITH(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
