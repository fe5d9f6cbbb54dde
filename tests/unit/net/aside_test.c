#include "net/aside.h"

#include "tests/lib/test.h"

#include <pthread.h>

enum { JOBS = 100 };

struct noted {
        struct aside_job job;
        int *next; /* shared: the order in which they ran */
        int place;
        pthread_t thread;
};

static void note(struct aside_job *job)
{
        struct noted *noted = LIST_ENTRY(job, struct noted, job);

        noted->place = (*noted->next)++;
        noted->thread = pthread_self();
}

static void does_jobs_in_their_order_on_another_thread(void **state)
{
        struct noted jobs[JOBS];
        struct aside *aside;
        int next = 0;

        (void)state;
        assert_ok(aside_create(&aside, "test-aside"));
        for (int i = 0; i < JOBS; i++) {
                jobs[i] = (struct noted){.job = {.run = note}, .next = &next, .place = -1};
                aside_add(aside, &jobs[i].job);
        }
        aside_destroy(&aside); /* does all that was added */
        assert_null(aside);
        for (int i = 0; i < JOBS; i++) {
                assert_int_equal(jobs[i].place, i);
                assert_false(pthread_equal(jobs[i].thread, pthread_self()));
        }
}

static void without_a_thread_jobs_are_done_at_once(void **state)
{
        int next = 0;
        struct noted job = {.job = {.run = note}, .next = &next, .place = -1};
        struct aside *none = NULL;

        (void)state;
        aside_add(none, &job.job);
        assert_int_equal(job.place, 0);
        assert_true(pthread_equal(job.thread, pthread_self()));
        aside_destroy(&none);
}

static enum err make(void *context)
{
        struct aside *aside;
        enum err rc = aside_create(&aside, "test-aside");

        (void)context;
        assert_true((rc == OK) == (aside != NULL));
        aside_destroy(&aside);
        return rc;
}

static void without_memory_there_is_none(void **state)
{
        (void)state;
        each_allocation_fails(make, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(does_jobs_in_their_order_on_another_thread),
                cmocka_unit_test(without_a_thread_jobs_are_done_at_once),
                cmocka_unit_test(without_memory_there_is_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
