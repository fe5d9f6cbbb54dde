#include "tests/lib/school.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct state {
        char path[64];
        struct lmdb_config config;
        struct source *source;
};

static struct state *open_school(void **state)
{
        struct state *s = calloc(1, sizeof(*s));

        assert_non_null(s);
        temp_dir_make(s->path, sizeof(s->path));
        s->config = school_config(s->path);
        s->source = school_open(&s->config);
        *state = s;
        return s;
}

static int setup(void **state)
{
        (void)open_school(state);
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        (void)school_sound(s->source);
        s->source->ops->close(&s->source);
        assert_null(s->source);
        temp_dir_remove(s->path);
        free(s);
        return 0;
}

static void reopen(struct state *s)
{
        s->source->ops->close(&s->source);
        s->source = school_open(&s->config);
}

static void an_unknown_student_is_not_an_empty_list(void **state)
{
        struct state *s = *state;

        school_expect(s->source, &SCHOOL_STUDENT, "42", NULL);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", NULL);
        school_expect(s->source, &SCHOOL_SUMMARY, "42", NULL);
        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", "[]");
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "4", NULL);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "421", NULL);
}

static void what_is_put_is_read_after_reopening_too(void **state)
{
        struct state *s = *state;
        const char *list = "[{\"id\":\"a\",\"code\":\"1\",\"severity\":\"MILD\",\"extra\":[1,2]},"
                           "{\"id\":\"b\",\"code\":\"2\",\"severity\":\"SEVERE\",\"status\":\"active\"}]";

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        school_must_put(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        reopen(s);
        school_expect(s->source, &SCHOOL_ALLERGY_LIST, "42", list);
        school_expect(s->source, &SCHOOL_STUDENT, "42", "{\"id\":\"42\",\"name\":\"Ada\"}");
}

static void reads_carry_the_epoch_of_their_opening(void **state)
{
        struct state *s = *state;
        struct source_read read;

        s->config.hooks.epoch = 7;
        reopen(s);
        assert_ok(school_read(s->source, &SCHOOL_STUDENT, slice_str("42"), &read));
        assert_int_equal(read.epoch, 7);
        buf_deinit(&read.value);
}

/* ---- many writers ---- */

struct racer {
        struct source *source;
        struct position stamp;
        int number;
        enum err status;
};

static void *race(void *context)
{
        struct racer *racer = context;
        char json[64];
        struct source_write write = {.type = &SCHOOL_STUDENT,
                .id = slice_str("42"),
                .condition = IF_UNCHANGED,
                .unchanged_since = racer->stamp};

        (void)snprintf(json, sizeof(json), "{\"name\":\"Racer %d\"}", racer->number);
        racer->status = school_put(racer->source, &write, json);
        return NULL;
}

static void of_writers_with_one_stamp_one_wins(void **state)
{
        enum { ROUNDS = 20, RACERS = 6 };
        struct state *s = *state;
        struct racer racers[RACERS];
        pthread_t threads[RACERS];

        for (int round = 0; round < ROUNDS; round++) {
                struct position stamp = {school_sound(s->source).last_position};
                int winner = -1;
                char expected[64];

                for (int i = 0; i < RACERS; i++) {
                        racers[i] = (struct racer){s->source, stamp, round * RACERS + i, ERR_INTERNAL};
                        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
                }
                for (int i = 0; i < RACERS; i++) {
                        assert_int_equal(pthread_join(threads[i], NULL), 0);
                        if (racers[i].status != OK) {
                                assert_err(ERR_CONFLICT, racers[i].status);
                                continue;
                        }
                        assert_int_equal(winner, -1);
                        winner = racers[i].number;
                }
                (void)snprintf(expected, sizeof(expected), "{\"id\":\"42\",\"name\":\"Racer %d\"}", winner);
                school_expect(s->source, &SCHOOL_STUDENT, "42", expected);
        }
}

/* ---- growth and reads at once ---- */

struct reading {
        struct source *source;
        _Atomic bool stop;
        _Atomic uint64_t wrong;
};

/* Each visit is in the list whole, and the list never shrinks. */
static void *read_on(void *context)
{
        struct reading *r = context;
        size_t longest = 0;

        while (!r->stop) {
                struct source_read read;

                if (school_read(r->source, &SCHOOL_VISIT_LIST, slice_str("42"), &read) != OK || !read.found ||
                        buf_len(&read.value) < longest)
                        r->wrong++;
                longest = buf_len(&read.value);
                buf_deinit(&read.value);
        }
        return NULL;
}

static void reads_go_on_while_writes_grow_the_map(void **state)
{
        enum { READERS = 4, ROWS = 40, BATCHES = 60 };
        struct state *s = *state;
        struct reading reading = {.source = s->source};
        pthread_t threads[READERS];
        uint64_t mapped = school_sound(s->source).bytes_mapped;

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        for (int i = 0; i < READERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
        for (int batch = 0; batch < BATCHES; batch++) {
                static char json[65536];
                size_t len = 0;
                struct source_write write;

                for (int row = 0; row < ROWS; row++)
                        len += (size_t)snprintf(json + len, sizeof(json) - len,
                                "%s{\"student\":\"42\",\"id\":\"%d-%d\",\"text\":\"%0900d\"}", row == 0 ? "[" : ",",
                                batch, row, 0);
                (void)snprintf(json + len, sizeof(json) - len, "]");
                assert_ok(school_import(s->source, &write, &SCHOOL_VISITS, json));
                assert_int_equal(write.written, ROWS);
        }
        reading.stop = true;
        for (int i = 0; i < READERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(reading.wrong, 0);
        assert_true(school_sound(s->source).bytes_mapped >= 4 * mapped);
}

/* ---- the process is killed ---- */

static enum err import_one(struct source *source, int number)
{
        struct source_write write;
        char json[80];

        (void)snprintf(json, sizeof(json), "[{\"student\":\"42\",\"id\":\"%06d\"}]", number);
        return school_import(source, &write, &SCHOOL_VISITS, json);
}

/* Writes visits until it is killed, and says through the pipe which is acknowledged. */
static void write_until_killed(const struct lmdb_config *config, int pipe_fd, int first)
{
        struct source *source;

        if (lmdb_source_open(&source, config, NULL) != OK)
                _exit(1);
        for (int i = first; import_one(source, i) == OK; i++)
                if (write(pipe_fd, &i, sizeof(i)) != sizeof(i))
                        break;
        _exit(2);
}

static void nothing_acknowledged_is_lost_when_the_process_is_killed(void **state)
{
        enum { ROUNDS = 5, ACKNOWLEDGED = 40 };
        struct state *s = *state;
        int next = 0;

        school_must_put(s->source, &SCHOOL_STUDENT, "42", "{\"name\":\"Ada\"}");
        for (int round = 0; round < ROUNDS; round++) {
                int pipe_fds[2];
                int last = -1;
                int acknowledged;
                int status;
                pid_t child;

                s->source->ops->close(&s->source);
                assert_int_equal(pipe(pipe_fds), 0);
                child = fork();
                assert_true(child >= 0);
                if (child == 0)
                        write_until_killed(&s->config, pipe_fds[1], next);
                assert_int_equal(close(pipe_fds[1]), 0);
                while (last < next + ACKNOWLEDGED && read(pipe_fds[0], &acknowledged, sizeof(acknowledged)) > 0)
                        last = acknowledged;
                assert_int_equal(kill(child, SIGKILL), 0);
                while (read(pipe_fds[0], &acknowledged, sizeof(acknowledged)) > 0)
                        last = acknowledged; /* what it said before it died */
                assert_int_equal(close(pipe_fds[0]), 0);
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_true(WIFSIGNALED(status));
                s->source = school_open(&s->config);
                assert_in_range(school_sound(s->source).records, (uint64_t)last + 2, (uint64_t)last + 3);
                next = last + 2; /* the one behind it may be there, too */
                assert_ok(import_one(s->source, last + 1));
        }
}

/* ---- opening and closing ---- */

struct opened {
        uint64_t epoch;
        struct position newest;
        int times;
};

static void on_opened(void *context, uint64_t epoch, struct position newest)
{
        struct opened *opened = context;

        *opened = (struct opened){epoch, newest, opened->times + 1};
}

static void opening_tells_where_the_history_stands(void **state)
{
        struct state *s = *state;
        struct opened opened = {.times = 0};
        uint64_t position = school_sound(s->source).last_position;

        assert_true(position > 0);
        s->config.hooks.opened = on_opened;
        s->config.hooks.context = &opened;
        s->config.hooks.epoch = 11;
        reopen(s);
        assert_int_equal(opened.times, 1);
        assert_int_equal(opened.epoch, 11);
        assert_int_equal(opened.newest.n, position);
}

static void count_done(struct source_write *write)
{
        ++*(_Atomic int *)write->context;
}

static void closing_finishes_the_writes_it_has(void **state)
{
        enum { WRITES = 200 };
        static struct source_write writes[WRITES];
        const struct tag all = {.kind = TAG_ALL};
        struct state *s = *state;
        _Atomic int done = 0;

        for (int i = 0; i < WRITES; i++) {
                writes[i] = (struct source_write){
                        .kind = WRITE_TOUCH, .tags = &all, .tag_count = 1, .done = count_done, .context = &done};
                source_apply(s->source, &writes[i]);
        }
        s->source->ops->close(&s->source);
        assert_int_equal(done, WRITES);
        for (int i = 0; i < WRITES; i++)
                assert_ok(writes[i].status);
        s->source = school_open(&s->config);
}

static enum err open_and_close(void *context)
{
        struct state *s = context;
        struct source *source;
        enum err rc = lmdb_source_open(&source, &s->config, NULL);

        if (source != NULL)
                source->ops->close(&source);
        return rc;
}

static void opening_survives_each_failing_allocation(void **state)
{
        struct state *s = *state;

        s->source->ops->close(&s->source);
        each_allocation_fails(open_and_close, s);
        s->source = school_open(&s->config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(an_unknown_student_is_not_an_empty_list),
                TEST(what_is_put_is_read_after_reopening_too),
                TEST(reads_carry_the_epoch_of_their_opening),
                TEST(of_writers_with_one_stamp_one_wins),
                TEST(reads_go_on_while_writes_grow_the_map),
                TEST(nothing_acknowledged_is_lost_when_the_process_is_killed),
                TEST(opening_tells_where_the_history_stands),
                TEST(closing_finishes_the_writes_it_has),
                TEST(opening_survives_each_failing_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
