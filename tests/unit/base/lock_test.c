#include "base/lock.h"

#include "tests/lib/test.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 20000 };

struct guarded {
        struct lock lock;
        uint64_t first; /* the two are always equal to who holds the lock */
        uint64_t second;
};

static void *add_often(void *arg)
{
        struct guarded *g = arg;

        for (int i = 0; i < ROUNDS; i++) {
                lock_take(&g->lock);
                assert_int_equal(g->first, g->second);
                g->first++;
                g->second++;
                lock_give(&g->lock);
        }
        return NULL;
}

static void one_thread_at_a_time(void **state)
{
        struct guarded g = {.first = 0};
        pthread_t threads[THREADS];

        (void)state;
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, add_often, &g), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(g.first, THREADS * ROUNDS);
        assert_int_equal(g.lock.state, LOCK_FREE);
}

static void *take_once(void *arg)
{
        struct guarded *g = arg;

        lock_take(&g->lock);
        g->first = g->second;
        lock_give(&g->lock);
        return NULL;
}

/* It is given back only when somebody waits for it. */
static void who_waits_is_woken(void **state)
{
        struct guarded g = {.first = 0};
        pthread_t thread;

        (void)state;
        lock_take(&g.lock);
        assert_int_equal(pthread_create(&thread, NULL, take_once, &g), 0);
        while (atomic_load(&g.lock.state) != LOCK_AWAITED)
                (void)sched_yield();
        g.second = 7;
        lock_give(&g.lock);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(g.first, 7);
        assert_int_equal(g.lock.state, LOCK_FREE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_thread_at_a_time),
                cmocka_unit_test(who_waits_is_woken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
