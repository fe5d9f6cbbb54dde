#include "database/lmdb_commit.h"
#include "database/lmdb_key.h"
#include "database/lmdb_read.h"
#include "database/lmdb_record.h"
#include "database/lmdb_rows.h"
#include "tests/lib/school.h"
#include "tests/lib/values.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BATCH_MAX = 8 };

struct state {
        char path[64];
        struct lmdb_schema schema;
        struct lmdb_env *env;
        struct lmdb_commit *commit;
        char log[256]; /* what happened, a letter each: b a x for the hooks, 0..9 for `done` of that write */
};

static void note(struct state *s, char what)
{
        size_t len = strlen(s->log);

        assert_true(len + 1 < sizeof(s->log));
        s->log[len] = what;
}

static void on_before(void *context, const uint64_t *tags, size_t count)
{
        (void)tags;
        (void)count;
        note(context, 'b');
}

static void on_after(void *context, const uint64_t *tags, size_t count, struct position position)
{
        (void)tags;
        (void)count;
        (void)position;
        note(context, 'a');
}

static void on_aborted(void *context, const uint64_t *tags, size_t count)
{
        (void)tags;
        (void)count;
        note(context, 'x');
}

static void open_state(struct state *s, uint64_t map_size_max)
{
        const struct lmdb_env_config config = {s->path, 256 << 10, map_size_max, 4, &s->schema};
        const struct source_hooks hooks = {.before = on_before, .after = on_after, .aborted = on_aborted, .context = s};
        bool suspected;

        assert_ok(lmdb_env_open(&s->env, &config, &suspected, NULL));
        assert_ok(lmdb_commit_create(&s->commit, s->env, &s->schema, &hooks, BATCH_MAX));
}

static void close_state(struct state *s)
{
        lmdb_commit_destroy(&s->commit);
        lmdb_env_close(&s->env);
}

static int setup(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->schema = school_config(s->path).schema;
        open_state(s, 1 << 20);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        close_state(s);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

/* ---- a batch of writes, by hand ---- */

struct job {
        struct source_write write;
        struct state *state;
        char name;
        struct buf value;
};

static void on_done(struct source_write *write)
{
        struct job *job = write->context;

        note(job->state, job->name);
}

static struct job *job_of(struct state *s, char name, enum source_write_kind kind, const char *json)
{
        struct job *job = calloc(1, sizeof(*job));

        assert_non_null(job);
        job->state = s;
        job->name = name;
        buf_init(&job->value, 0);
        append_json(&job->value, json);
        job->write =
                (struct source_write){.kind = kind, .value = buf_slice(&job->value), .done = on_done, .context = job};
        return job;
}

static struct job *put(struct state *s, char name, const struct record_type *type, const char *json)
{
        struct job *job = job_of(s, name, WRITE_PUT, json);

        job->write.type = type;
        job->write.id = slice_str("42");
        return job;
}

static void run(struct state *s, struct job **jobs, size_t count)
{
        const struct lmdb_row_maker maker = {&s->schema, NULL};
        struct list writes;

        list_init(&writes);
        memset(s->log, 0, sizeof(s->log));
        for (size_t i = 0; i < count; i++) {
                lmdb_rows_prepare(&jobs[i]->write, &maker);
                list_push_back(&writes, &jobs[i]->write.link);
        }
        while (!list_empty(&writes))
                lmdb_commit_run(s->commit, &writes);
}

static void free_jobs(struct job **jobs, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                buf_deinit(&jobs[i]->value);
                free(jobs[i]);
        }
}

static enum err run_one(struct state *s, struct job *job)
{
        enum err rc;

        run(s, &job, 1);
        rc = job->write.status;
        free_jobs(&job, 1);
        return rc;
}

static enum err put_student(struct state *s)
{
        return run_one(s, put(s, '1', &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}"));
}

static uint64_t last_position(struct state *s)
{
        struct lmdb_usage usage;

        assert_ok(lmdb_env_usage(s->env, &usage));
        return usage.last_position;
}

static void one_commit_for_all_and_then_done_in_order(void **state)
{
        struct state *s = *state;
        uint64_t before = last_position(s);
        struct job *jobs[] = {
                put(s, '1', &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}"),
                put(s, '2', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]"),
                put(s, '3', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]"), /* changes nothing: the same position still */
        };

        run(s, jobs, 3);
        assert_string_equal(s->log, "ba123");
        for (size_t i = 0; i < 3; i++) {
                assert_ok(jobs[i]->write.status);
                assert_int_equal(jobs[i]->write.position.n, before + 1);
        }
        assert_int_equal(last_position(s), before + 1);
        free_jobs(jobs, 3);
}

static void no_more_than_batch_max_share_a_commit(void **state)
{
        struct state *s = *state;
        struct job *jobs[BATCH_MAX + 1];

        assert_ok(put_student(s));
        for (size_t i = 0; i <= BATCH_MAX; i++)
                jobs[i] = put(s, (char)('0' + i), &SCHOOL_VISIT_LIST, i % 2 ? "[]" : "[{\"id\":\"v\"}]");
        run(s, jobs, BATCH_MAX + 1);
        assert_string_equal(s->log, "ba01234567ba8");
        free_jobs(jobs, BATCH_MAX + 1);
}

static void refused_writes_leave_the_others_alone(void **state)
{
        struct state *s = *state;
        struct job *jobs[] = {
                put(s, '1', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]"), /* before its student is there */
                put(s, '2', &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}"),
                put(s, '3', &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Eve\"}"),
                job_of(s, '4', WRITE_IMPORT, "{\"id\":\"7\",\"name\":7}"), /* no list */
                put(s, '5', &SCHOOL_VISIT_LIST, "[{\"id\":\"w\"}]"),
        };

        jobs[2]->write.condition = IF_NEW; /* of two in one batch the first wins */
        jobs[3]->write.table = &SCHOOL_STUDENTS;
        run(s, jobs, 5);
        assert_string_equal(s->log, "ba12345");
        assert_err(ERR_NOSTUDENT, jobs[0]->write.status);
        assert_ok(jobs[1]->write.status);
        assert_err(ERR_CONFLICT, jobs[2]->write.status);
        assert_err(ERR_BADVALUE, jobs[3]->write.status);
        assert_ok(jobs[4]->write.status);
        assert_int_equal(jobs[1]->write.position.n, jobs[4]->write.position.n);
        free_jobs(jobs, 5);
}

static void nothing_to_do_is_no_commit(void **state)
{
        struct state *s = *state;
        uint64_t before;

        assert_ok(put_student(s));
        before = last_position(s);
        assert_ok(put_student(s));
        assert_string_equal(s->log, "1");
        assert_int_equal(last_position(s), before);
}

/* ---- failures ---- */

/* An IMPORT of `count` visits of a kilobyte each. */
static struct job *big_import(struct state *s, char name, int count)
{
        static char json[2 << 20];
        size_t len = 0;
        struct job *job;

        for (int i = 0; i < count; i++)
                len += (size_t)snprintf(json + len, sizeof(json) - len,
                        "%s{\"student\":\"42\",\"id\":\"%c%d\",\"text\":\"%01000d\"}", i == 0 ? "[" : ",", name, i, i);
        (void)snprintf(json + len, sizeof(json) - len, "]");
        job = job_of(s, name, WRITE_IMPORT, json);
        job->write.table = &SCHOOL_VISITS;
        return job;
}

static void a_full_map_is_grown_and_the_batch_done_again(void **state)
{
        struct state *s = *state;
        struct job *jobs[2];

        assert_ok(put_student(s));
        jobs[0] = put(s, '1', &SCHOOL_ALLERGY_LIST, "[]");
        jobs[1] = big_import(s, '2', 300);
        run(s, jobs, 2);
        assert_ok(jobs[1]->write.status);
        assert_int_equal(jobs[1]->write.written, 300); /* counted once, though done more than once */
        assert_string_equal(s->log + strlen(s->log) - 4, "ba12");
        free_jobs(jobs, 2);
}

static void what_does_not_fit_at_all_fails_alone(void **state)
{
        struct state *s = *state;
        struct job *jobs[3];

        assert_ok(put_student(s));
        jobs[0] = put(s, '1', &SCHOOL_ALLERGY_LIST, "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\"}]");
        jobs[1] = big_import(s, '2', 1500);
        jobs[2] = put(s, '3', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]");
        run(s, jobs, 3);
        assert_ok(jobs[0]->write.status);
        assert_err(ERR_MAP_FULL, jobs[1]->write.status);
        assert_true(jobs[1]->write.message.text[0] != '\0');
        assert_ok(jobs[2]->write.status);
        assert_int_equal(jobs[2]->write.position.n, jobs[0]->write.position.n + 1); /* a commit each */
        free_jobs(jobs, 3);
}

struct stored {
        const struct lmdb_env *env;
        struct slice student;
        struct slice map;
};

/* A record of another student, stored where student `s->student` (an id that is hashed) would be. */
static enum err store_twin(MDB_txn *txn, void *context, struct err_msg *msg)
{
        const struct stored *s = context;
        const struct lmdb_record record = {.schema = 1, .version = {1}, .student = slice_str("twin"), .map = s->map};
        uint8_t bytes[1024];
        struct lmdb_key key;
        MDB_val at;
        MDB_val value = lmdb_val(slice_of(bytes, lmdb_record_size(&record)));

        (void)msg;
        lmdb_record_encode(&record, bytes);
        lmdb_key_student(&key, SLICE_EMPTY, "students", s->student);
        lmdb_key_add_record(&key, s->student);
        at = lmdb_val(lmdb_key_slice(&key));
        return lmdb_err(mdb_put(txn, lmdb_env_dbs(s->env)->records, &at, &value, 0));
}

static void an_id_that_hashes_like_another_takes_nobodys_place(void **state)
{
        struct state *s = *state;
        char id[101];
        char json[160];
        struct buf map;
        struct stored stored = {.env = s->env, .student = slice_of(id, 100)};
        struct job *job;
        struct job *other;
        MDB_txn *txn;

        memset(id, 'x', 100);
        id[100] = '\0';
        buf_init(&map, 0);
        append_json(&map, "{\"id\":\"twin\",\"name\":\"Twin\"}");
        stored.map = buf_slice(&map);
        assert_ok(lmdb_env_update(s->env, store_twin, &stored, NULL));
        buf_deinit(&map);
        assert_ok(lmdb_env_read_begin(s->env, &txn)); /* its record is there, and is not taken for the other's */
        assert_err(ERR_NOTFOUND,
                lmdb_read_student(txn, lmdb_env_dbs(s->env), &SCHOOL_STUDENTS, SLICE_EMPTY, slice_str(id)));
        lmdb_env_read_end(s->env, &txn);
        (void)snprintf(json, sizeof(json), "{\"id\":\"%s\",\"name\":\"X\"}", id);
        job = put(s, '1', &SCHOOL_STUDENT, json);
        job->write.id = slice_str(id);
        other = put(s, '2', &SCHOOL_STUDENT, "{\"id\":\"42\",\"name\":\"Ada\"}");
        run(s, (struct job *[]){job, other}, 2);
        assert_err(ERR_BADKEY, job->write.status);
        assert_non_null(strstr(job->write.message.text, "hash"));
        assert_ok(other->write.status);
        assert_string_equal(s->log, "ba12");
        free_jobs((struct job *[]){job, other}, 2);
}

/* Makes the last write of a commit, that of the meta page, fail: LMDB writes it through a descriptor of its own that is
 * open for synchronous writing. Its number, or -1. */
static int meta_descriptor(const struct state *s)
{
        char link[64];
        char target[256];
        char wanted[128];

        (void)snprintf(wanted, sizeof(wanted), "%s/data.mdb", s->path);
        for (int fd = 3; fd < 256; fd++) {
                ssize_t len;

                (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
                len = readlink(link, target, sizeof(target) - 1);
                target[len < 0 ? 0 : len] = '\0';
                if (strcmp(target, wanted) == 0 && (fcntl(fd, F_GETFL) & O_DSYNC) != 0)
                        return fd;
        }
        return -1;
}

static void a_commit_of_unknown_outcome_stops_everything_until_reopened(void **state)
{
        struct state *s = *state;
        struct lmdb_usage usage;
        MDB_txn *txn;
        int meta = meta_descriptor(s);
        int closed = open("/dev/null", O_RDONLY);

        assert_ok(put_student(s));
        assert_true(meta >= 0 && closed >= 0);
        assert_int_equal(dup2(closed, meta), meta);
        assert_int_equal(close(closed), 0);
        assert_err(ERR_IO, run_one(s, put(s, '1', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]")));
        assert_string_equal(s->log, "b1"); /* neither after nor aborted: the tags stay poisoned */
        assert_err(ERR_IO, lmdb_env_read_begin(s->env, &txn));
        assert_err(ERR_IO, run_one(s, put(s, '2', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]")));
        assert_string_equal(s->log, "2");
        assert_err(ERR_IO, lmdb_env_usage(s->env, &usage));
        assert_true(usage.dead);
        close_state(s);
        open_state(s, 1 << 20);
        assert_ok(lmdb_env_read_begin(s->env, &txn));
        assert_ok(lmdb_read_student(txn, lmdb_env_dbs(s->env), &SCHOOL_STUDENTS, SLICE_EMPTY, slice_str("42")));
        lmdb_env_read_end(s->env, &txn);
        assert_ok(run_one(s, put(s, '3', &SCHOOL_VISIT_LIST, "[{\"id\":\"v\"}]")));
}

struct allocating {
        struct state *state;
        struct job *job;
};

static enum err import_anew(void *context)
{
        const struct allocating *a = context;
        const struct source_hooks hooks = {.before = NULL};
        const struct lmdb_row_maker maker = {&a->state->schema, NULL};
        struct lmdb_commit *commit;
        struct list writes;
        enum err rc = lmdb_commit_create(&commit, a->state->env, &a->state->schema, &hooks, 2);

        if (rc == OK) {
                list_init(&writes);
                lmdb_rows_prepare(&a->job->write, &maker);
                list_push_back(&writes, &a->job->write.link);
                lmdb_commit_run(commit, &writes);
                rc = a->job->write.status;
        }
        lmdb_commit_destroy(&commit);
        return rc;
}

static void survives_each_failing_allocation(void **state)
{
        struct state *s = *state;
        struct allocating allocating = {s,
                job_of(s, '1', WRITE_IMPORT, "[{\"student\":\"42\",\"id\":\"b\"},{\"student\":\"42\",\"id\":\"a\"}]")};

        assert_ok(put_student(s));
        allocating.job->write.table = &SCHOOL_VISITS;
        each_allocation_fails(import_anew, &allocating);
        assert_int_equal(allocating.job->write.written, 2); /* nothing of the failed ones was there before */
        free_jobs(&allocating.job, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(one_commit_for_all_and_then_done_in_order),
                TEST(no_more_than_batch_max_share_a_commit),
                TEST(refused_writes_leave_the_others_alone),
                TEST(nothing_to_do_is_no_commit),
                TEST(a_full_map_is_grown_and_the_batch_done_again),
                TEST(what_does_not_fit_at_all_fails_alone),
                TEST(an_id_that_hashes_like_another_takes_nobodys_place),
                TEST(a_commit_of_unknown_outcome_stops_everything_until_reopened),
                TEST(survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
