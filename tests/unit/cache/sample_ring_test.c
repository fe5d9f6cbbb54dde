#include "cache/sample_ring.h"
#include "base/mem.h"
#include "tests/lib/test.h"

#include <pthread.h>

enum { PUSHERS = 4, EACH = 20000 };

static struct sample_ring ring;

static int empty_ring(void **state)
{
        (void)state;
        ring = (struct sample_ring){.head = 0};
        return 0;
}

static void gives_back_what_was_pushed_in_order(void **state)
{
        const struct sample samples[] = {
                {SAMPLE_MISS, 0, 0, 0, 0},
                {SAMPLE_PUT, UINT32_MAX, 700, 600, UINT32_MAX},
                {SAMPLE_HIT, 5, UINT32_MAX, 3, 7},
        };
        struct sample out;

        (void)state;
        assert_false(sample_ring_is_waiting(&ring));
        assert_false(sample_ring_take(&ring, &out));
        for (size_t i = 0; i < 3; i++)
                assert_true(sample_ring_push(&ring, &samples[i]));
        assert_true(sample_ring_is_waiting(&ring));
        for (size_t i = 0; i < 3; i++) {
                assert_true(sample_ring_take(&ring, &out));
                assert_memory_equal(&out, &samples[i], sizeof(out));
        }
        assert_false(sample_ring_is_waiting(&ring));
        assert_false(sample_ring_take(&ring, &out));
}

static void a_full_ring_takes_no_more_and_loses_nothing_else(void **state)
{
        struct sample sample = {.kind = SAMPLE_MISS};

        (void)state;
        for (int round = 0; round < 3; round++) {
                for (sample.hash = 0; sample.hash < SAMPLE_RING_SIZE; sample.hash++)
                        assert_true(sample_ring_push(&ring, &sample));
                assert_false(sample_ring_push(&ring, &sample));
                for (uint32_t i = 0; i < SAMPLE_RING_SIZE; i++) {
                        assert_true(sample_ring_take(&ring, &sample));
                        assert_int_equal(sample.hash, i);
                }
                assert_false(sample_ring_take(&ring, &sample));
        }
}

/* The hash says which pusher, the weight which of its samples. */
static void *push_all(void *arg)
{
        struct sample sample = {.kind = SAMPLE_PUT, .hash = *(const uint32_t *)arg};

        while (sample.weight < EACH)
                if (sample_ring_push(&ring, &sample))
                        sample.weight++;
        return NULL;
}

static void many_push_while_one_takes(void **state)
{
        static const uint32_t numbers[PUSHERS] = {0, 1, 2, 3};
        uint32_t next[PUSHERS] = {0};
        pthread_t threads[PUSHERS];
        struct sample sample;

        (void)state;
        for (int i = 0; i < PUSHERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, push_all, (void *)(uintptr_t)&numbers[i]), 0);
        for (int taken = 0; taken < PUSHERS * EACH;) {
                if (!sample_ring_take(&ring, &sample))
                        continue;
                assert_true(sample.hash < PUSHERS);
                assert_int_equal(sample.weight, next[sample.hash]++);
                taken++;
        }
        for (int i = 0; i < PUSHERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(sample_ring_is_waiting(&ring));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(gives_back_what_was_pushed_in_order, empty_ring),
                cmocka_unit_test_setup(a_full_ring_takes_no_more_and_loses_nothing_else, empty_ring),
                cmocka_unit_test_setup(many_push_while_one_takes, empty_ring),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
