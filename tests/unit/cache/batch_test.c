#include "cache/batch.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/test.h"

#include <event2/event.h>

#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS = 10 };

static const struct record_type type = {.name = "allergies"};

struct bench {
        struct event_base *base;
        struct fake_source *fake;
        struct source_port *port;
        struct batch *batch;
        struct source_read reads[BATCH_MAX + 1];
        size_t added;
        size_t sent;
        size_t done;
};

static void on_sending(void *context, struct source_read *read, struct nanos now)
{
        struct bench *bench = context;

        assert_ptr_equal(read, &bench->reads[bench->sent]); /* in the order of adding */
        assert_int_equal(now.ns, fake_clock().ns);
        bench->sent++;
}

static void on_done(struct source_read *read)
{
        struct bench *bench = read->context;

        assert_true(bench->sent > (size_t)(read - bench->reads));
        bench->done++;
}

static void add_one(struct bench *bench)
{
        struct source_read *read = &bench->reads[bench->added++];

        *read = (struct source_read){.type = &type, .id = slice_str("42"), .done = on_done, .context = bench};
        batch_add(bench->batch, read);
}

static void start(struct bench *bench)
{
        struct batch_config config = {.clock = fake_clock, .sending = on_sending, .context = bench};

        *bench = (struct bench){.base = event_base_new(), .fake = fake_source_create(1)};
        assert_non_null(bench->base);
        config.base = bench->base;
        assert_ok(source_port_open(fake_source_as_source(bench->fake), bench->base, &bench->port));
        config.port = bench->port;
        assert_ok(batch_create(&bench->batch, &config));
}

static void stop(struct bench *bench)
{
        batch_destroy(&bench->batch);
        assert_null(bench->batch);
        source_port_close(&bench->port);
        fake_source_destroy(&bench->fake);
        event_base_free(bench->base);
}

static void tick(struct bench *bench)
{
        assert_int_not_equal(event_base_loop(bench->base, EVLOOP_NONBLOCK), -1);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
        char byte;

        (void)what;
        assert_int_equal(read(fd, &byte, 1), 1);
        add_one(arg);
}

static void all_sockets_of_a_tick_make_one_batch(void **state)
{
        static struct bench bench;
        struct event *events[SOCKETS];
        int pairs[SOCKETS][2];

        (void)state;
        start(&bench);
        for (int i = 0; i < SOCKETS; i++) {
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
                events[i] = event_new(bench.base, pairs[i][0], EV_READ | EV_PERSIST, on_readable, &bench);
                assert_int_equal(event_add(events[i], NULL), 0);
                assert_int_equal(write(pairs[i][1], "x", 1), 1);
        }
        tick(&bench);
        assert_int_equal(bench.done, SOCKETS);
        assert_int_equal(fake_source_batches(bench.fake), 1);
        for (int i = 0; i < SOCKETS; i++) {
                event_free(events[i]);
                close(pairs[i][0]);
                close(pairs[i][1]);
        }
        stop(&bench);
}

static void nothing_is_sent_before_the_loop_runs(void **state)
{
        static struct bench bench;

        (void)state;
        start(&bench);
        add_one(&bench);
        assert_int_equal(fake_source_batches(bench.fake), 0);
        tick(&bench);
        assert_int_equal(bench.done, 1);
        tick(&bench);
        assert_int_equal(fake_source_batches(bench.fake), 1); /* an idle tick asks nothing */
        stop(&bench);
}

static void one_fetch_has_a_bound(void **state)
{
        static struct bench bench;

        (void)state;
        start(&bench);
        for (int i = 0; i < BATCH_MAX + 1; i++)
                add_one(&bench);
        tick(&bench);
        assert_int_equal(bench.done, BATCH_MAX + 1);
        assert_int_equal(fake_source_batches(bench.fake), 2);
        stop(&bench);
}

static enum err create(void *context)
{
        struct bench *bench = context;
        const struct batch_config config = {.base = bench->base, .clock = fake_clock};
        struct batch *batch;
        enum err rc = batch_create(&batch, &config);

        batch_destroy(&batch);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        static struct bench bench;

        (void)state;
        start(&bench);
        each_allocation_fails(create, &bench);
        stop(&bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_sockets_of_a_tick_make_one_batch),
                cmocka_unit_test(nothing_is_sent_before_the_loop_runs),
                cmocka_unit_test(one_fetch_has_a_bound),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
