#include "net/reply_queue.h"
#include "tests/lib/test.h"

enum { ENOUGH = 1000 };

struct bench {
        struct pool pool;
        struct reply_queue queue;
        struct buf out;
};

static void set_up(struct bench *b, uint64_t out_limit)
{
        pool_init(&b->pool, sizeof(struct reply_slot), 8);
        reply_queue_init(&b->queue, &b->pool, 0);
        buf_init(&b->out, out_limit);
}

static void tear_down(struct bench *b)
{
        reply_queue_deinit(&b->queue);
        buf_deinit(&b->out);
        pool_deinit(&b->pool);
}

static struct reply_slot *push(struct bench *b, const char *reply)
{
        struct reply_slot *slot = reply_queue_take(&b->queue);

        assert_non_null(slot);
        if (reply != NULL)
                assert_ok(buf_append_str(&slot->reply, reply));
        reply_queue_push(&b->queue, slot, reply != NULL);
        return slot;
}

static void finish(struct bench *b, struct reply_slot *slot, const char *reply)
{
        assert_ok(buf_append_str(&slot->reply, reply));
        reply_queue_finish(&b->queue, slot);
}

static void replies_wait_for_the_ones_before_them(void **state)
{
        struct bench b;
        struct reply_slot *first;
        struct reply_slot *third;

        (void)state;
        set_up(&b, 0);
        first = push(&b, NULL);
        (void)push(&b, "2");
        third = push(&b, NULL);
        (void)push(&b, "4");
        finish(&b, third, "3");
        assert_ok(reply_queue_drain(&b.queue, &b.out, ENOUGH));
        assert_int_equal(buf_len(&b.out), 0);
        assert_int_equal(b.queue.bytes, 3);
        finish(&b, first, "1");
        assert_int_equal(b.queue.waiting, 0);
        assert_ok(reply_queue_drain(&b.queue, &b.out, ENOUGH));
        assert_slice_is(buf_slice(&b.out), "1234");
        assert_int_equal(b.queue.count, 0);
        assert_int_equal(b.queue.bytes, 0);
        tear_down(&b);
}

static void the_memory_of_all_replies_is_known(void **state)
{
        enum { LONG = 3000 };
        static char text[LONG + 1];
        const size_t slot = sizeof(struct reply_slot);
        struct bench b;
        struct reply_slot *first;

        (void)state;
        set_up(&b, 0);
        first = push(&b, NULL);
        assert_int_equal(b.queue.memory, slot);
        memset(text, 'x', LONG);
        finish(&b, first, text);
        (void)push(&b, text);
        assert_in_range(b.queue.memory, 2 * (slot + LONG), 2 * (slot + 2 * LONG));
        assert_ok(reply_queue_drain(&b.queue, &b.out, ENOUGH));
        assert_in_range(b.queue.memory, slot + LONG, slot + 2 * LONG);
        assert_ok(reply_queue_drain(&b.queue, &b.out, 3 * LONG));
        assert_int_equal(b.queue.memory, 0);
        tear_down(&b);
}

static void drains_no_more_than_enough(void **state)
{
        struct bench b;

        (void)state;
        set_up(&b, 0);
        (void)push(&b, "12345");
        (void)push(&b, "67890");
        (void)push(&b, "abc");
        assert_ok(reply_queue_drain(&b.queue, &b.out, 6));
        assert_slice_is(buf_slice(&b.out), "1234567890");
        assert_int_equal(b.queue.count, 1);
        tear_down(&b);
}

static void an_output_at_its_limit_keeps_the_rest_queued(void **state)
{
        struct bench b;

        (void)state;
        set_up(&b, 4);
        (void)push(&b, "123");
        (void)push(&b, "456");
        assert_err(ERR_LIMIT, reply_queue_drain(&b.queue, &b.out, ENOUGH));
        assert_slice_is(buf_slice(&b.out), "123");
        assert_int_equal(b.queue.count, 1);
        tear_down(&b);
}

static void a_reply_that_could_not_be_written_is_not_left_out(void **state)
{
        struct bench b;

        (void)state;
        set_up(&b, 0);
        (void)push(&b, "1");
        (void)push(&b, "");
        (void)push(&b, "3");
        assert_err(ERR_NOMEM, reply_queue_drain(&b.queue, &b.out, ENOUGH));
        assert_slice_is(buf_slice(&b.out), "1");
        tear_down(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(replies_wait_for_the_ones_before_them),
                cmocka_unit_test(the_memory_of_all_replies_is_known),
                cmocka_unit_test(drains_no_more_than_enough),
                cmocka_unit_test(a_reply_that_could_not_be_written_is_not_left_out),
                cmocka_unit_test(an_output_at_its_limit_keeps_the_rest_queued),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
