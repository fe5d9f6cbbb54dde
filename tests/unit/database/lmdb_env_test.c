#include "database/lmdb_env.h"
#include "monitoring/counters.h"
#include "tests/lib/school.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct state {
        char path[64];
        struct lmdb_schema schema;
        struct lmdb_env_config config;
};

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->schema = school_config(s->path).schema;
        s->config = (struct lmdb_env_config){s->path, 1 << 20, 16 << 20, 8, &s->schema};
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

static struct lmdb_env *open_env(const struct state *s)
{
        struct lmdb_env *env = NULL;
        struct err_msg msg = {.text = ""};
        bool suspected = true;
        enum err rc = lmdb_env_open(&env, &s->config, &suspected, &msg);

        assert_string_equal(msg.text, "");
        assert_ok(rc);
        assert_false(suspected);
        return env;
}

/* Opening must fail with `code`, and the message must hold all of the words. */
static void refuses(const struct state *s, enum err code, const char *first, const char *second)
{
        struct lmdb_env *env = NULL;
        struct err_msg msg = {.text = ""};
        bool suspected;

        assert_err(code, lmdb_env_open(&env, &s->config, &suspected, &msg));
        assert_null(env);
        if (strstr(msg.text, first) == NULL || strstr(msg.text, second) == NULL)
                fail_msg("\"%s\" lacks \"%s\" or \"%s\"", msg.text, first, second);
}

static void write_file(const struct state *s, off_t at, const void *bytes, size_t len)
{
        char name[128];
        int fd;

        (void)snprintf(name, sizeof(name), "%s/data.mdb", s->path);
        fd = open(name, O_RDWR | O_CREAT, 0600);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, bytes, len, at), len);
        assert_int_equal(close(fd), 0);
}

/* ---- opening ---- */

static void makes_the_folder_for_its_owner_alone(void **state)
{
        struct state *s = *state;
        char inner[128];
        struct stat info;
        struct lmdb_env *env;

        (void)snprintf(inner, sizeof(inner), "%s/new", s->path);
        s->config.path = inner;
        env = open_env(s);
        assert_int_equal(stat(inner, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0700);
        lmdb_env_close(&env);
        assert_null(env);
        lmdb_env_close(&env); /* a no-op */
}

static void names_what_is_wrong_with_the_path(void **state)
{
        struct state *s = *state;
        char name[128];

        write_file(s, 0, "", 0);
        (void)snprintf(name, sizeof(name), "%s/data.mdb", s->path);
        s->config.path = name;
        refuses(s, ERR_IO, name, "is not a folder");
        (void)snprintf(name, sizeof(name), "%s/no/such", s->path);
        refuses(s, ERR_IO, name, "No such file");
}

static void names_the_process_that_holds_the_lock(void **state)
{
        struct state *s = *state;
        struct lmdb_env *env = open_env(s);
        char pid[32];

        (void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
        refuses(s, ERR_LOCKED, pid, s->path);
        lmdb_env_close(&env);
        env = open_env(s);
        lmdb_env_close(&env);
}

static void says_that_permission_is_missing(void **state)
{
        struct state *s = *state;
        int status;
        pid_t child;

        assert_int_equal(chmod(s->path, 0500), 0);
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                struct lmdb_env *env;
                struct err_msg msg;
                bool suspected;

                if (getuid() == 0 && setuid(65534) != 0) /* root may write everywhere */
                        _exit(2);
                _exit(lmdb_env_open(&env, &s->config, &suspected, &msg) != ERR_PERMISSION ||
                        strstr(msg.text, s->path) == NULL || strstr(msg.text, "denied") == NULL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(chmod(s->path, 0700), 0);
}

static void refuses_files_that_are_no_database(void **state)
{
        struct state *s = *state;
        char noise[65536];
        char name[128];

        memset(noise, 0x5a, sizeof(noise));
        write_file(s, 0, noise, sizeof(noise));
        refuses(s, ERR_CORRUPT, s->path, "not an LMDB database");
        (void)snprintf(name, sizeof(name), "%s/data.mdb", s->path);
        assert_int_equal(truncate(name, 1), 0);
        refuses(s, ERR_CORRUPT, s->path, "not an LMDB database");
}

static void refuses_another_version_of_lmdb(void **state)
{
        enum { VERSION_AT = 16 + 4 }; /* in both meta pages: behind the page's head and the magic number */
        struct state *s = *state;
        struct lmdb_env *env = open_env(s);
        const uint32_t version = 999;
        long page = sysconf(_SC_PAGESIZE);

        lmdb_env_close(&env);
        write_file(s, VERSION_AT, &version, sizeof(version));
        write_file(s, page + VERSION_AT, &version, sizeof(version));
        refuses(s, ERR_VERSION, s->path, "another version of LMDB");
}

static void refuses_somebody_elses_database(void **state)
{
        struct state *s = *state;
        MDB_env *mdb;
        MDB_txn *txn;
        MDB_dbi dbi;
        MDB_val key = lmdb_val(slice_str("meta"));
        MDB_val value = lmdb_val(slice_str("x"));

        assert_int_equal(mdb_env_create(&mdb), 0);
        assert_int_equal(mdb_env_open(mdb, s->path, 0, 0600), 0);
        assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
        assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
        assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
        assert_int_equal(mdb_txn_commit(txn), 0);
        mdb_env_close(mdb);
        refuses(s, ERR_VERSION, s->path, "did not make");
}

/* ---- numbers in meta ---- */

struct number {
        const struct lmdb_env *env;
        const char *name;
        uint64_t n;
};

static enum err put_number(MDB_txn *txn, void *context, struct err_msg *msg)
{
        struct number *number = context;

        (void)msg;
        return lmdb_meta_put(txn, lmdb_env_dbs(number->env), number->name, number->n);
}

static void set_number(const struct state *s, const char *name, uint64_t n)
{
        struct lmdb_env *env = open_env(s);
        struct number number = {env, name, n};

        assert_ok(lmdb_env_update(env, put_number, &number, NULL));
        lmdb_env_close(&env);
}

static uint64_t get_number(const struct state *s, const char *name)
{
        struct lmdb_env *env = open_env(s);
        MDB_txn *txn;
        uint64_t n;

        assert_ok(lmdb_env_read_begin(env, &txn));
        assert_ok(lmdb_meta_get(txn, lmdb_env_dbs(env), name, &n));
        lmdb_env_read_end(env, &txn);
        lmdb_env_close(&env);
        return n;
}

static void refuses_another_format_and_says_which(void **state)
{
        struct state *s = *state;

        set_number(s, "format", LMDB_FORMAT + 1);
        refuses(s, ERR_VERSION, "format 3", "reads format 2");
}

static void refuses_an_older_format_and_names_the_command(void **state)
{
        struct state *s = *state;

        set_number(s, "format", LMDB_FORMAT - 1);
        refuses(s, ERR_VERSION, "format 1", "vitalcache upgrade");
}

static void reads_the_schema_before_its_own_but_no_other(void **state)
{
        struct state *s = *state;
        struct record_table visits = SCHOOL_VISITS;
        const struct record_table *tables[] = {&SCHOOL_STUDENTS, &SCHOOL_ALLERGIES, &visits};

        s->schema.tables = tables;
        visits.schema = 4;
        assert_int_equal(get_number(s, "schema/visits"), 4);
        visits.schema = 3;
        refuses(s, ERR_VERSION, "visits was written with schema 4", "schema 3");
        visits.schema = 6;
        refuses(s, ERR_VERSION, "visits was written with schema 4", "reads 5 and 6");
        visits.schema = 5;
        assert_int_equal(get_number(s, "schema/visits"), 5);
        assert_int_equal(get_number(s, "schema/allergies"), 1);
        assert_int_equal(get_number(s, "schema/nothing"), 0);
}

/* ---- growth ---- */

/* Writes `count` values of 4 kB under keys that are new each time. */
static enum err fill(MDB_txn *txn, void *context, struct err_msg *msg)
{
        static const uint8_t block[4096];
        const struct number *count = context;
        int rc = MDB_SUCCESS;

        (void)msg;
        for (uint64_t i = 0; rc == MDB_SUCCESS && i < count->n; i++) {
                uint64_t name[2] = {mdb_txn_id(txn), i};
                MDB_val key = lmdb_val(slice_of(name, sizeof(name)));
                MDB_val value = lmdb_val(slice_of(block, sizeof(block)));

                rc = mdb_put(txn, lmdb_env_dbs(count->env)->records, &key, &value, 0);
        }
        return lmdb_err(rc);
}

static struct lmdb_usage usage_of(struct lmdb_env *env)
{
        struct lmdb_usage usage;

        assert_ok(lmdb_env_usage(env, &usage));
        return usage;
}

static void a_full_map_is_doubled_up_to_its_maximum(void **state)
{
        struct state *s = *state;
        struct lmdb_env *env = open_env(s);
        struct number count = {env, NULL, 400}; /* 1.6 MB and more: two pages each */
        struct lmdb_usage before;

        assert_int_equal(usage_of(env).bytes_mapped, 1 << 20);
        assert_ok(lmdb_env_update(env, fill, &count, NULL));
        before = usage_of(env);
        assert_int_equal(before.bytes_mapped, 4 << 20);
        assert_true(before.bytes_used > 400 * 4096);
        count.n = 4000;
        assert_err(ERR_MAP_FULL, lmdb_env_update(env, fill, &count, NULL));
        assert_int_equal(usage_of(env).bytes_mapped, 16 << 20);
        assert_int_equal(usage_of(env).last_position, before.last_position);
        count.n = 10;
        assert_ok(lmdb_env_update(env, fill, &count, NULL)); /* still of use */
        lmdb_env_close(&env);
        env = open_env(s);
        assert_true(usage_of(env).bytes_mapped >= before.bytes_used); /* more than was asked for */
        assert_int_equal(usage_of(env).last_position, before.last_position + 1);
        lmdb_env_close(&env);
}

struct reading {
        struct lmdb_env *env;
        _Atomic bool stop;
        _Atomic uint64_t reads;
        _Atomic uint64_t entries;
};

static void *read_on(void *context)
{
        struct reading *r = context;

        while (!r->stop) {
                MDB_txn *txn;
                MDB_stat stat;

                if (lmdb_env_read_begin(r->env, &txn) != OK)
                        break;
                if (mdb_stat(txn, lmdb_env_dbs(r->env)->records, &stat) != MDB_SUCCESS)
                        break;
                lmdb_env_read_end(r->env, &txn);
                r->reads++;
                r->entries = stat.ms_entries;
        }
        return NULL;
}

static void the_map_grows_while_readers_run(void **state)
{
        enum { READERS = 12 }; /* more than there are slots */
        struct state *s = *state;
        struct lmdb_env *env = open_env(s);
        struct reading reading = {.env = env};
        struct number count = {env, NULL, 400};
        uint64_t growths = counter_read(COUNTER_database_map_growths);
        pthread_t threads[READERS];

        s->config.map_size_max = 64 << 20;
        lmdb_env_close(&env);
        env = open_env(s);
        reading.env = env;
        count.env = env;
        for (int i = 0; i < READERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
        for (int i = 0; i < 8; i++)
                assert_ok(lmdb_env_update(env, fill, &count, NULL));
        assert_true(counter_read(COUNTER_database_map_growths) > growths);
        while (reading.entries != 8 * 400)
                assert_int_equal(sched_yield(), 0);
        reading.stop = true;
        for (int i = 0; i < READERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(usage_of(env).bytes_mapped, 32 << 20);
        lmdb_env_close(&env);
}

/* Runs `body` in a process of its own, whose limits are then its own; it must return 0. */
static void in_a_child(int (*body)(const struct state *s), const struct state *s)
{
        int status;
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
                _exit(body(s));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
}

#ifndef VC_SANITIZED /* which need all of the address space themselves */
static rlim_t bytes_of_address_space(void)
{
        unsigned long pages = 0;
        FILE *statm = fopen("/proc/self/statm", "r");

        if (statm == NULL || fscanf(statm, "%lu", &pages) != 1 || fclose(statm) != 0)
                _exit(9);
        return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int without_address_space(const struct state *s)
{
        struct rlimit limit = {bytes_of_address_space() + (128 << 20), RLIM_INFINITY};
        struct lmdb_env_config config = s->config;
        struct lmdb_env *env;
        struct number count;
        bool suspected;

        config.map_size_max = UINT64_C(1) << 40;
        if (setrlimit(RLIMIT_AS, &limit) != 0 || lmdb_env_open(&env, &config, &suspected, NULL) != OK)
                return 1;
        while (lmdb_env_grow(env) == OK)
                ;
        count = (struct number){env, NULL, 10};
        return lmdb_env_update(env, fill, &count, NULL) == OK && usage_of(env).bytes_mapped >= 32 << 20 ? 0 : 2;
}

static void goes_on_when_there_is_no_address_space_to_grow_into(void **state)
{
        in_a_child(without_address_space, *state);
}
#endif

/* A file that may not grow stands for a disk that is full. */
static int on_a_full_disk(const struct state *s)
{
        struct lmdb_env *env;
        bool suspected;
        struct rlimit limit = {1 << 17, RLIM_INFINITY};
        struct number count;
        enum err rc;

        (void)signal(SIGXFSZ, SIG_IGN);
        if (lmdb_env_open(&env, &s->config, &suspected, NULL) != OK)
                return 1;
        count = (struct number){env, NULL, 100};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                return 2;
        rc = lmdb_env_update(env, fill, &count, NULL);
        if (rc != ERR_DISK_FULL && rc != ERR_IO) /* IO: part of a write was taken, and this disk has room */
                return 3;
        limit.rlim_cur = RLIM_INFINITY;
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
                return 4;
        return lmdb_env_update(env, fill, &count, NULL) == OK ? 0 : 5;
}

static void goes_on_after_the_disk_was_full(void **state)
{
        in_a_child(on_a_full_disk, *state);
}

static uint64_t file_size(const struct state *s)
{
        char path[128];
        struct stat file;

        (void)snprintf(path, sizeof(path), "%s/data.mdb", s->config.path);
        assert_int_equal(stat(path, &file), 0);
        return (uint64_t)file.st_size;
}

static void room_for_growth_is_given_back_at_the_end(void **state)
{
        const struct state *s = *state;
        struct lmdb_env *env = open_env(s);
        struct number count = {env, NULL, 50};
        uint64_t used;

        assert_ok(lmdb_env_update(env, fill, &count, NULL));
        lmdb_env_make_room(env);
        used = usage_of(env).bytes_used;
        assert_true(file_size(s) > used);
        assert_ok(lmdb_env_update(env, fill, &count, NULL));
        used = usage_of(env).bytes_used;
        lmdb_env_close(&env);
        assert_int_equal(file_size(s), used);
        env = open_env(s);
        assert_int_equal(usage_of(env).bytes_used, used);
        lmdb_env_close(&env);
}

static enum err note_past(MDB_txn *txn, void *context, struct err_msg *msg)
{
        struct lmdb_env *env = context;

        (void)msg;
        return lmdb_meta_put(txn, lmdb_env_dbs(env), LMDB_META_PAST, 1000);
}

/* LMDB counts from 1 again in a compacted copy; the history does not. */
static void positions_go_on_from_the_past(void **state)
{
        struct lmdb_env *env = open_env(*state);
        uint64_t before;

        assert_ok(lmdb_env_update(env, note_past, env, NULL));
        before = usage_of(env).last_position;
        lmdb_env_close(&env);
        env = open_env(*state);
        assert_int_equal(usage_of(env).last_position, before + 1000);
        lmdb_env_close(&env);
}

static enum err open_and_close(void *context)
{
        struct state *s = context;
        struct lmdb_env *env;
        bool suspected;
        enum err rc = lmdb_env_open(&env, &s->config, &suspected, NULL);

        lmdb_env_close(&env);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        each_allocation_fails(open_and_close, *state);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(makes_the_folder_for_its_owner_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(names_what_is_wrong_with_the_path, setup, teardown),
                cmocka_unit_test_setup_teardown(names_the_process_that_holds_the_lock, setup, teardown),
                cmocka_unit_test_setup_teardown(says_that_permission_is_missing, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_files_that_are_no_database, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_another_version_of_lmdb, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_somebody_elses_database, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_another_format_and_says_which, setup, teardown),
                cmocka_unit_test_setup_teardown(refuses_an_older_format_and_names_the_command, setup, teardown),
                cmocka_unit_test_setup_teardown(reads_the_schema_before_its_own_but_no_other, setup, teardown),
                cmocka_unit_test_setup_teardown(a_full_map_is_doubled_up_to_its_maximum, setup, teardown),
                cmocka_unit_test_setup_teardown(the_map_grows_while_readers_run, setup, teardown),
#ifndef VC_SANITIZED
                cmocka_unit_test_setup_teardown(goes_on_when_there_is_no_address_space_to_grow_into, setup, teardown),
#endif
                cmocka_unit_test_setup_teardown(goes_on_after_the_disk_was_full, setup, teardown),
                cmocka_unit_test_setup_teardown(room_for_growth_is_given_back_at_the_end, setup, teardown),
                cmocka_unit_test_setup_teardown(positions_go_on_from_the_past, setup, teardown),
                cmocka_unit_test_setup_teardown(survives_each_failing_allocation, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
