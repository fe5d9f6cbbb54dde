#include "base/loop_thread.h"

#include "base/mem.h"
#include "tests/lib/test.h"

#include <event2/event.h>

enum { JOBS = 1000 };

struct seen {
        struct loop_thread *thread;
        int next;
        bool elsewhere; /* a job ran on another thread */
};

struct numbered {
        struct loop_job job;
        struct seen *seen;
        int number;
        bool again; /* posts another */
};

static void post(struct seen *seen, int number, bool again);

static void run_numbered(struct loop_job *job)
{
        struct numbered *n = LIST_ENTRY(job, struct numbered, job);

        if (n->number == n->seen->next)
                n->seen->next++;
        if (!loop_thread_is_here(n->seen->thread))
                n->seen->elsewhere = true;
        if (n->again)
                post(n->seen, n->number + 1, false);
        vc_free(n);
}

static void post(struct seen *seen, int number, bool again)
{
        struct numbered *n = vc_calloc(1, sizeof(*n));

        assert_non_null(n);
        *n = (struct numbered){{.run = run_numbered}, seen, number, again};
        loop_thread_post(seen->thread, &n->job);
}

static void jobs_run_on_the_thread_in_order_and_all_before_the_end(void **state)
{
        struct seen seen = {.next = 0};
        struct loop_thread *ours;

        (void)state;
        assert_ok(loop_thread_create(&seen.thread, "vc-test"));
        ours = seen.thread; /* jobs look at seen.thread to the end */
        assert_false(loop_thread_is_here(seen.thread));
        for (int i = 0; i < JOBS; i++)
                post(&seen, i, i == JOBS - 1);
        loop_thread_destroy(&ours);
        assert_null(ours);
        assert_int_equal(seen.next, JOBS + 1);
        assert_false(seen.elsewhere);
        loop_thread_destroy(&ours);
}

struct ticking {
        struct seen *seen;
        struct event *timer;
        int ticks; /* the thread's */
        bool done; /* ours, written during our calls */
};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
        struct ticking *t = arg;

        (void)fd;
        (void)what;
        if (!loop_thread_is_here(t->seen->thread))
                t->seen->elsewhere = true;
        if (++t->ticks == 3)
                event_del(t->timer);
}

static void start_ticking(void *context)
{
        static const struct timeval now = {0, 1};
        struct ticking *t = context;

        t->timer = event_new(loop_thread_base(t->seen->thread), -1, EV_PERSIST, on_tick, t);
        assert_non_null(t->timer);
        assert_int_equal(event_add(t->timer, &now), 0);
}

static void look_at_ticks(void *context)
{
        struct ticking *t = context;

        t->done = t->ticks == 3;
        if (t->done)
                event_free(t->timer);
}

static void events_happen_on_the_thread_and_a_call_waits(void **state)
{
        struct seen seen = {.next = 0};
        struct ticking ticking = {.seen = &seen};

        (void)state;
        assert_ok(loop_thread_create(&seen.thread, "vc-test"));
        loop_thread_call(seen.thread, start_ticking, &ticking);
        while (!ticking.done)
                loop_thread_call(seen.thread, look_at_ticks, &ticking);
        loop_thread_destroy(&seen.thread);
        assert_false(seen.elsewhere);
}

static enum err create(void *context)
{
        struct loop_thread *thread;
        enum err rc = loop_thread_create(&thread, "vc-test");

        (void)context;
        loop_thread_destroy(&thread);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(jobs_run_on_the_thread_in_order_and_all_before_the_end),
                cmocka_unit_test(events_happen_on_the_thread_and_a_call_waits),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
