#include "monitoring/counters.h"

#include "base/mem.h"
#include "tests/lib/test.h"

#include <pthread.h>

enum { ADDS = 20000, THREADS = 4 };

static void *count_in_a_thread(void *arg)
{
        (void)arg;
        for (int i = 0; i < ADDS; i++) {
                counter_add(COUNTER_commands, 1);
                type_counter_add(3, TYPE_COUNTER_hits, 2);
        }
        return NULL;
}

static void sums_over_threads_ended_ones_included(void **state)
{
        uint64_t before = counter_read(COUNTER_commands);
        uint64_t type_before = type_counter_read(3, TYPE_COUNTER_hits);
        uint64_t other_type = type_counter_read(4, TYPE_COUNTER_hits);
        pthread_t threads[THREADS];

        (void)state;
        counter_add(COUNTER_commands, 5);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, count_in_a_thread, NULL), 0);
        for (int i = 0; i < 100; i++) /* summing while they count is allowed, and never too much */
                assert_true(counter_read(COUNTER_commands) <= before + 5 + (uint64_t)ADDS * THREADS);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(counter_read(COUNTER_commands) - before, 5 + ADDS * THREADS);
        assert_int_equal(type_counter_read(3, TYPE_COUNTER_hits) - type_before, 2 * ADDS * THREADS);
        assert_int_equal(type_counter_read(4, TYPE_COUNTER_hits), other_type);
}

static _Bool no_memory(void *context)
{
        (void)context;
        return 0;
}

static void *count_without_memory(void *arg)
{
        (void)arg;
        mem_set_gate(no_memory, NULL);
        counter_add(COUNTER_l1_hits, 7);
        mem_set_gate(NULL, NULL);
        return NULL;
}

static void a_thread_without_memory_still_counts(void **state)
{
        uint64_t before = counter_read(COUNTER_l1_hits);
        pthread_t thread;

        (void)state;
        assert_int_equal(pthread_create(&thread, NULL, count_without_memory, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(counter_read(COUNTER_l1_hits) - before, 7);
}

static void every_row_has_a_name_and_a_sentence(void **state)
{
        (void)state;
        assert_string_equal(counter_row(COUNTER_l1_hits)->name, "l1_hits");
        assert_string_equal(type_counter_row(TYPE_COUNTER_writes)->name, "writes");
        for (int c = 0; c < COUNTER_COUNT_; c++)
                assert_true(strlen(counter_row((enum counter)c)->sentence) > 10);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sums_over_threads_ended_ones_included),
                cmocka_unit_test(a_thread_without_memory_still_counts),
                cmocka_unit_test(every_row_has_a_name_and_a_sentence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
