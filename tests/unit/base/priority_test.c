#include "base/priority.h"

#include "tests/lib/test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

static int niceness(void)
{
        return getpriority(PRIO_PROCESS, (id_t)gettid());
}

static int cores(void)
{
        cpu_set_t set;

        assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
        return CPU_COUNT(&set);
}

struct seen {
        int niceness[2];
        int cores[2];
};

static void *lower(void *context)
{
        struct seen *seen = context;

        priority_lower(PRIORITY_BULK);
        seen->niceness[0] = niceness();
        seen->cores[0] = cores();
        priority_lower(PRIORITY_WRITES); /* that would be up again */
        seen->niceness[1] = niceness();
        seen->cores[1] = cores();
        return NULL;
}

static void lowers_one_thread_and_never_raises_it(void **state)
{
        int before = niceness();
        int lowered = before < PRIORITY_BULK ? PRIORITY_BULK : before;
        int all = cores();
        int left = before < PRIORITY_BULK && all > 1 ? all - 1 : all; /* one core for those who answer */
        struct seen seen = {.niceness = {-1, -1}};
        pthread_t thread;

        (void)state;
        assert_int_equal(pthread_create(&thread, NULL, lower, &seen), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(seen.niceness[0], lowered);
        assert_int_equal(seen.niceness[1], lowered);
        assert_int_equal(niceness(), before);
        assert_int_equal(seen.cores[0], left);
        assert_int_equal(seen.cores[1], left);
        assert_int_equal(cores(), all);
}

static uint64_t switches(void)
{
        struct rusage usage;

        assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
        return (uint64_t)usage.ru_nvcsw;
}

/* It enters the kernel, and does not sleep there. */
static void a_pause_gives_the_core_to_nobody_who_does_not_want_it(void **state)
{
        uint64_t before = switches();

        (void)state;
        for (int i = 0; i < 10000; i++)
                priority_pause();
        assert_int_equal(switches(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(lowers_one_thread_and_never_raises_it),
                cmocka_unit_test(a_pause_gives_the_core_to_nobody_who_does_not_want_it)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
