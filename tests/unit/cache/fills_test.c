#include "cache/fills.h"
#include "tests/lib/test.h"

enum { MAX = 3 };

static const struct record_type bounded = {.name = "bounded", .bound = {NANOS_PER_S}};
static const struct record_type strict = {.name = "strict", .bound = {0}};

/* One who waits. */
struct waiter {
        struct list link;
        struct fill *fill;
        bool started;
};

static struct fills *make(bool always_certain)
{
        const struct fills_config config = {.max = MAX, .seed = 1, .always_certain = always_certain};
        struct fills *fills;

        assert_ok(fills_create(&fills, &config));
        return fills;
}

struct wish {
        const struct record_type *type;
        const char *id;
        enum wire_format format;
        int64_t now_ms;
        bool primary_only;
};

static enum err ask(struct fills *fills, struct waiter *waiter, struct wish wish)
{
        struct cache_key key;
        struct fill_request request = {
                .key = &key,
                .type = wish.type,
                .format = wish.format,
                .now = nanos_ms(wish.now_ms),
                .bound = wish.type->bound,
                .primary_only = wish.primary_only,
                .waiter = &waiter->link,
        };

        cache_key_make(&key, wish.format, wish.type, SLICE_EMPTY, slice_str(wish.id));
        return fills_join_or_start(fills, &request, &waiter->fill, &waiter->started);
}

static struct waiter *asks(struct fills *fills, struct waiter *waiter, struct wish wish)
{
        assert_ok(ask(fills, waiter, wish));
        return waiter;
}

static void finish(struct fills *fills, struct fill *fill, size_t expected)
{
        struct list waiters;
        size_t count = 0;

        assert_true(fills_close(fills, fill, 1u << FORMAT_JSON | 1u << FORMAT_MSGPACK, &waiters));
        LIST_FOREACH (it, &waiters) {
                struct waiter *w = LIST_ENTRY(it, struct waiter, link);

                assert_ptr_equal(w->fill, fill);
                assert_int_equal(w->fill->state, FILL_DONE);
                count++;
        }
        assert_int_equal(count, expected);
}

static void who_wants_the_same_key_waits_for_one_fill(void **state)
{
        struct fills *fills = make(true);
        struct waiter a;
        struct waiter b;
        struct waiter other;

        (void)state;
        assert_true(asks(fills, &a, (struct wish){&bounded, "1", FORMAT_JSON, 10, false})->started);
        assert_false(asks(fills, &b, (struct wish){&bounded, "1", FORMAT_MSGPACK, 20, false})->started);
        assert_true(asks(fills, &other, (struct wish){&bounded, "2", FORMAT_JSON, 20, false})->started);
        assert_ptr_equal(a.fill, b.fill);
        assert_slice_is(a.fill->read.id, "1");
        assert_int_equal(a.fill->read.tenant.len, 0);
        assert_int_equal(fills_in_flight(fills), 2);
        assert_int_equal(fills_wanted(fills, a.fill), 1u << FORMAT_JSON | 1u << FORMAT_MSGPACK);
        fills_sent(fills, a.fill, nanos_ms(30));
        fills_sent(fills, other.fill, nanos_ms(30));
        finish(fills, a.fill, 2);
        finish(fills, other.fill, 1);
        assert_int_equal(fills_in_flight(fills), 0);
        fill_release(&a.fill);
        fill_release(&b.fill);
        fill_release(&other.fill);
        fills_destroy(&fills);
}

static void a_fill_that_is_done_is_joined_by_no_one(void **state)
{
        struct fills *fills = make(true);
        struct waiter a;
        struct waiter b;

        (void)state;
        asks(fills, &a, (struct wish){&bounded, "1", FORMAT_JSON, 10, false});
        fills_sent(fills, a.fill, nanos_ms(20));
        finish(fills, a.fill, 1);
        assert_true(asks(fills, &b, (struct wish){&bounded, "1", FORMAT_JSON, 10, false})->started);
        fills_sent(fills, b.fill, nanos_ms(30));
        finish(fills, b.fill, 1);
        fill_release(&a.fill);
        fill_release(&b.fill);
        fills_destroy(&fills);
}

static void does_not_close_while_another_format_is_wanted(void **state)
{
        struct fills *fills = make(true);
        struct list waiters;
        struct waiter a;
        struct waiter b;

        (void)state;
        asks(fills, &a, (struct wish){&bounded, "1", FORMAT_JSON, 10, false});
        fills_sent(fills, a.fill, nanos_ms(20));
        asks(fills, &b, (struct wish){&bounded, "1", FORMAT_MSGPACK, 30, false});
        assert_false(fills_close(fills, a.fill, 1u << FORMAT_JSON, &waiters));
        assert_true(list_empty(&waiters));
        finish(fills, a.fill, 2);
        fill_release(&a.fill);
        fill_release(&b.fill);
        fills_destroy(&fills);
}

/* With a polled source and bound 0 no copy is ever certified: waiting for a read sent earlier would be in vain. */
static void a_strict_read_of_a_polled_source_joins_only_what_is_sent_after_it(void **state)
{
        struct fills *fills = make(false);
        struct waiter first;
        struct waiter strict_one;
        struct waiter third;
        struct waiter late;

        (void)state;
        asks(fills, &first, (struct wish){&strict, "1", FORMAT_JSON, 10, false});
        fills_sent(fills, first.fill, nanos_ms(20));
        assert_true(asks(fills, &strict_one, (struct wish){&strict, "1", FORMAT_JSON, 30, false})->started);
        assert_ptr_not_equal(strict_one.fill, first.fill);
        assert_false(asks(fills, &third, (struct wish){&strict, "1", FORMAT_JSON, 35, false})->started);
        assert_ptr_equal(third.fill, strict_one.fill); /* not sent yet */
        fills_sent(fills, strict_one.fill, nanos_ms(40));
        assert_false(asks(fills, &late, (struct wish){&strict, "1", FORMAT_JSON, 40, false})->started);
        finish(fills, first.fill, 1);
        finish(fills, strict_one.fill, 3);
        fill_release(&first.fill);
        fill_release(&strict_one.fill);
        fill_release(&third.fill);
        fill_release(&late.fill);
        fills_destroy(&fills);
}

static void a_bounded_read_joins_what_was_sent_before_it(void **state)
{
        struct fills *fills = make(false);
        struct waiter a;
        struct waiter b;

        (void)state;
        asks(fills, &a, (struct wish){&bounded, "1", FORMAT_JSON, 10, false});
        fills_sent(fills, a.fill, nanos_ms(20));
        assert_false(asks(fills, &b, (struct wish){&bounded, "1", FORMAT_JSON, 30, false})->started);
        assert_int_equal(fill_fit(a.fill, nanos_ms(10)), FILL_ANSWERS);
        assert_int_equal(fill_fit(a.fill, nanos_ms(30)), FILL_ANSWERS_IF_FRESH);
        finish(fills, a.fill, 2);
        fill_release(&a.fill);
        fill_release(&b.fill);
        fills_destroy(&fills);
}

/* Until it is sent, a fill can still be told that no replica may answer it. */
static void a_read_of_the_primary_joins_only_a_fill_of_the_primary(void **state)
{
        struct fills *fills = make(false);
        struct waiter any;
        struct waiter queued;
        struct waiter later;
        struct waiter own;

        (void)state;
        asks(fills, &any, (struct wish){&bounded, "1", FORMAT_JSON, 10, false});
        assert_false(any.fill->read.primary_only);
        assert_false(asks(fills, &queued, (struct wish){&bounded, "1", FORMAT_JSON, 10, true})->started);
        assert_true(any.fill->read.primary_only);
        fills_sent(fills, any.fill, nanos_ms(20));
        assert_false(asks(fills, &later, (struct wish){&bounded, "1", FORMAT_JSON, 30, true})->started);
        finish(fills, any.fill, 3);
        fill_release(&any.fill);
        fill_release(&queued.fill);
        fill_release(&later.fill);
        asks(fills, &any, (struct wish){&bounded, "1", FORMAT_JSON, 40, false});
        fills_sent(fills, any.fill, nanos_ms(50));
        assert_true(asks(fills, &own, (struct wish){&bounded, "1", FORMAT_JSON, 60, true})->started);
        assert_true(own.fill->read.primary_only);
        fills_sent(fills, own.fill, nanos_ms(70));
        finish(fills, any.fill, 1);
        finish(fills, own.fill, 1);
        fill_release(&any.fill);
        fill_release(&own.fill);
        fills_destroy(&fills);
}

static void past_the_bound_it_is_busy_but_joining_goes_on(void **state)
{
        struct fills *fills = make(true);
        const char *ids[MAX] = {"1", "2", "3"};
        struct waiter waiters[MAX];
        struct waiter more;

        (void)state;
        for (int i = 0; i < MAX; i++)
                asks(fills, &waiters[i], (struct wish){&bounded, ids[i], FORMAT_JSON, 10, false});
        assert_err(ERR_BUSY, ask(fills, &more, (struct wish){&bounded, "4", FORMAT_JSON, 10, false}));
        assert_null(more.fill);
        assert_false(asks(fills, &more, (struct wish){&bounded, "1", FORMAT_JSON, 10, false})->started);
        for (int i = 0; i < MAX; i++) {
                fills_sent(fills, waiters[i].fill, nanos_ms(20));
                finish(fills, waiters[i].fill, i == 0 ? 2 : 1);
                fill_release(&waiters[i].fill);
        }
        fill_release(&more.fill);
        fills_destroy(&fills);
}

static enum err create_and_start(void *context)
{
        const struct fills_config config = {.max = 100, .seed = 1, .always_certain = true};
        struct fills *fills;
        struct waiter a;
        enum err rc = fills_create(&fills, &config);

        (void)context;
        if (rc != OK) {
                assert_null(fills);
                return rc;
        }
        rc = ask(fills, &a, (struct wish){&bounded, "1", FORMAT_JSON, 10, false});
        assert_int_equal(fills_in_flight(fills), rc == OK ? 1 : 0);
        if (rc == OK) {
                fills_sent(fills, a.fill, nanos_ms(20));
                finish(fills, a.fill, 1);
                fill_release(&a.fill);
        }
        fills_destroy(&fills);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(create_and_start, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_wants_the_same_key_waits_for_one_fill),
                cmocka_unit_test(a_fill_that_is_done_is_joined_by_no_one),
                cmocka_unit_test(does_not_close_while_another_format_is_wanted),
                cmocka_unit_test(a_strict_read_of_a_polled_source_joins_only_what_is_sent_after_it),
                cmocka_unit_test(a_bounded_read_joins_what_was_sent_before_it),
                cmocka_unit_test(a_read_of_the_primary_joins_only_a_fill_of_the_primary),
                cmocka_unit_test(past_the_bound_it_is_busy_but_joining_goes_on),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
