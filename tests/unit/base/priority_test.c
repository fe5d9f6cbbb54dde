#include "base/priority.h"

#include "tests/lib/test.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static int niceness(void)
{
        return getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void *lower(void *context)
{
        int *seen = context;

        priority_lower(PRIORITY_BULK);
        seen[0] = niceness();
        priority_lower(PRIORITY_WRITES); /* that would be up again */
        seen[1] = niceness();
        return NULL;
}

static void lowers_one_thread_and_never_raises_it(void **state)
{
        int before = niceness();
        int lowered = before < PRIORITY_BULK ? PRIORITY_BULK : before;
        int seen[2] = {-1, -1};
        pthread_t thread;

        (void)state;
        assert_int_equal(pthread_create(&thread, NULL, lower, seen), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(seen[0], lowered);
        assert_int_equal(seen[1], lowered);
        assert_int_equal(niceness(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(lowers_one_thread_and_never_raises_it)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
