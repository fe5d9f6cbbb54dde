#include "base/hash.h"
#include "cli/mark_set.h"
#include "tests/lib/test.h"

#include <stdlib.h>

static struct mark mark_of(uint64_t n)
{
        uint64_t state = n;

        return (struct mark){.name = {random_next(&state), random_next(&state)}, .content = ~n, .ticket = n};
}

static void fill(struct mark_log *log, uint64_t from, uint64_t to)
{
        for (uint64_t n = from; n < to; n++) {
                const struct mark mark = mark_of(n);

                assert_ok(mark_log_add(log, &mark, NULL));
        }
}

/* ---- the log ---- */

/* Each of the marks 0..count-1 once, whole, in the part of its name, and in order. */
static void check_log(const struct mark_log *log, uint64_t count)
{
        bool *met = calloc(count + 1, sizeof(*met));
        uint64_t total = 0;

        for (unsigned part = 0; part < MARK_LOG_PARTS; part++) {
                uint64_t have = mark_log_count(log, part);
                struct mark *marks = calloc(have + 1, sizeof(*marks));

                assert_ok(mark_log_read(log, part, marks, NULL));
                for (uint64_t i = 0; i < have; i++) {
                        const struct mark expected = mark_of(marks[i].ticket);

                        assert_true(marks[i].ticket < count && !met[marks[i].ticket]);
                        assert_true(i == 0 || marks[i].ticket > marks[i - 1].ticket);
                        assert_memory_equal(&marks[i], &expected, sizeof(expected));
                        assert_int_equal(mark_log_part(&marks[i]), part);
                        met[marks[i].ticket] = true;
                }
                total += have;
                free(marks);
        }
        assert_int_equal(total, count);
        assert_int_equal(mark_log_total(log), count);
        free(met);
}

static void all_marks_are_read_back_from_memory_and_from_disk(void **state)
{
        static const uint64_t counts[] = {0, 1, 1000, 256 * 255 + 1, 200000};

        (void)state;
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                struct mark_log *log;

                assert_ok(mark_log_create(&log));
                fill(log, 0, counts[i]);
                check_log(log, counts[i]);
                mark_log_destroy(&log);
                assert_null(log);
        }
}

static void marks_are_added_after_a_read(void **state)
{
        struct mark_log *log;

        (void)state;
        assert_ok(mark_log_create(&log));
        fill(log, 0, 70000);
        check_log(log, 70000);
        fill(log, 70000, 140000);
        check_log(log, 140000);
        mark_log_destroy(&log);
}

static void a_disk_that_takes_nothing_is_an_error(void **state)
{
        const struct mark mark = mark_of(1);
        struct mark_log *log;
        struct err_msg msg;
        enum err rc = OK;
        int added = 0;

        (void)state;
        assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
        assert_ok(mark_log_create(&log));
        while (rc == OK && added++ < 1000)
                rc = mark_log_add(log, &mark, &msg);
        assert_err(ERR_IO, rc);
        assert_true(added > 200); /* what fits into memory needs no disk */
        assert_non_null(strstr(msg.text, "/nowhere/at/all"));
        mark_log_destroy(&log);
        assert_int_equal(unsetenv("TMPDIR"), 0);
}

/* ---- the set ---- */

/* Asks for every mark in each turn; returns the turns. */
static int ask_all(const struct mark_log *log, size_t memory, uint64_t present, uint64_t asked)
{
        struct mark_set *set;
        uint64_t answered = 0;
        bool loaded;
        int turns = 0;

        assert_ok(mark_set_create(&set, log, memory));
        for (;; turns++) {
                assert_ok(mark_set_next(set, &loaded, NULL));
                if (!loaded)
                        break;
                for (uint64_t n = 0; n < asked; n++) {
                        const struct mark mark = mark_of(n);
                        enum mark_answer answer = mark_set_ask(set, &mark);

                        answered += answer == MARK_NOT_LOADED ? 0 : 1;
                        if (answer != MARK_NOT_LOADED)
                                assert_int_equal(answer, n < present ? MARK_PRESENT : MARK_ABSENT);
                }
        }
        assert_int_equal(answered, asked); /* each in one turn, no more */
        mark_set_destroy(&set);
        assert_null(set);
        return turns;
}

static void a_set_answers_for_every_name_within_its_memory(void **state)
{
        struct mark_log *log;

        (void)state;
        assert_ok(mark_log_create(&log));
        assert_int_equal(ask_all(log, 1 << 20, 0, 1000), 1);
        fill(log, 0, 100000);
        assert_int_equal(ask_all(log, 100000 * 8, 100000, 120000), 1);
        assert_in_range(ask_all(log, 100000 * 2, 100000, 120000), 4, 6);
        assert_int_equal(ask_all(log, 0, 100000, 120000), MARK_LOG_PARTS);
        mark_log_destroy(&log);
}

/* ---- memory ---- */

static enum err use_both(void *context)
{
        const struct mark mark = mark_of(1);
        struct mark_log *log;
        struct mark_set *set = NULL;
        bool loaded;
        enum err rc = mark_log_create(&log);

        (void)context;
        if (rc == OK)
                rc = mark_log_add(log, &mark, NULL);
        if (rc == OK)
                rc = mark_set_create(&set, log, 100);
        if (rc == OK)
                rc = mark_set_next(set, &loaded, NULL);
        mark_set_destroy(&set);
        mark_log_destroy(&log);
        return rc;
}

static void failed_allocations_are_errors(void **state)
{
        (void)state;
        each_allocation_fails(use_both, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_marks_are_read_back_from_memory_and_from_disk),
                cmocka_unit_test(marks_are_added_after_a_read),
                cmocka_unit_test(a_disk_that_takes_nothing_is_an_error),
                cmocka_unit_test(a_set_answers_for_every_name_within_its_memory),
                cmocka_unit_test(failed_allocations_are_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
