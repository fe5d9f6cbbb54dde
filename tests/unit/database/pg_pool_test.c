/* The queue of a pool: what waits, for how long, and what it is told. No PostgreSQL is needed for that: one that is not
 * there, and one that accepts and says nothing. (With a real one: tests/integration/pg_pool_test.py.) */
#include "database/pg_pool.h"

#include "monitoring/counters.h"
#include "tests/lib/test.h"

#include <event2/event.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 50 };

struct rig {
        struct event_base *base;
        struct pg_pool *pool;
        struct pg_server server;
        char dsn[128];
        int listener;
        int running; /* exchanges not yet done */
        int lost;
        int stop_at_lost;
};

struct asked {
        struct pg_exchange exchange;
        struct rig *rig;
        struct nanos begun;
        int64_t took_ms;
        bool again; /* runs once more from its done() */
};

static void on_done(struct pg_exchange *exchange)
{
        struct asked *asked = exchange->context;

        asked->took_ms = nanos_to_ms(nanos_sub(clock_boot(), asked->begun));
        if (asked->again) {
                asked->again = false;
                pg_pool_run(asked->rig->pool, exchange);
        } else if (--asked->rig->running == 0) {
                event_base_loopbreak(asked->rig->base);
        }
}

static void on_lost(void *context, const struct pg_trouble *trouble)
{
        struct rig *rig = context;

        assert_true(trouble->opening);
        if (++rig->lost == rig->stop_at_lost)
                event_base_loopbreak(rig->base);
}

static void open_pool(struct rig *rig, int64_t acquire_ms, int64_t connect_ms)
{
        struct pg_pool_config config = {.server = &rig->server,
                .size = 2,
                .acquire_timeout = nanos_ms(acquire_ms),
                .now = clock_boot,
                .seed = 1,
                .lost = on_lost,
                .context = rig};

        rig->server = (struct pg_server){"test", rig->dsn, nanos_ms(connect_ms), nanos_ms(1000), NULL, true, 4, true};
        rig->base = config.base = event_base_new();
        assert_non_null(rig->base);
        assert_ok(pg_pool_create(&rig->pool, &config));
}

/* Nobody listens there. */
static void set_up_absent(struct rig *rig, int64_t acquire_ms)
{
        *rig = (struct rig){.listener = -1};
        snprintf(rig->dsn, sizeof rig->dsn, "host=/nowhere-at-all user=u dbname=d");
        open_pool(rig, acquire_ms, 1000);
}

/* The kernel accepts; nobody ever answers. */
static void set_up_silent(struct rig *rig, int64_t acquire_ms, int64_t connect_ms)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;

        *rig = (struct rig){.listener = socket(AF_INET, SOCK_STREAM, 0)};
        assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, size), 0);
        assert_int_equal(listen(rig->listener, MANY), 0);
        assert_int_equal(getsockname(rig->listener, (struct sockaddr *)&address, &size), 0);
        snprintf(rig->dsn, sizeof rig->dsn, "hostaddr=127.0.0.1 port=%u user=u dbname=d sslmode=disable",
                ntohs(address.sin_port));
        open_pool(rig, acquire_ms, connect_ms);
}

static void tear_down(struct rig *rig)
{
        pg_pool_destroy(&rig->pool);
        event_base_free(rig->base);
        if (rig->listener >= 0)
                close(rig->listener);
}

static struct pg_statement one;
static const struct pg_step step = {.statement = &one};

static void ask(struct rig *rig, struct asked *asked, int64_t deadline_ms)
{
        *asked = (struct asked){.rig = rig, .begun = clock_boot(), .again = asked->again};
        asked->exchange = (struct pg_exchange){.steps = &step, .step_count = 1, .done = on_done, .context = asked};
        asked->exchange.deadline = nanos_add(asked->begun, nanos_ms(deadline_ms));
        rig->running++;
        pg_pool_run(rig->pool, &asked->exchange);
}

static void assert_ended(const struct asked *asked, enum pg_failure failure)
{
        assert_string_equal(pg_failure_name(asked->exchange.failure), pg_failure_name(failure));
        assert_err(ERR_UNAVAILABLE, asked->exchange.status);
        assert_false(asked->exchange.outcome_unknown); /* nothing was ever sent */
}

static void all_are_told_when_nobody_is_there(void **state)
{
        struct rig rig;
        struct asked asked[MANY] = {0};

        (void)state;
        set_up_absent(&rig, 60000);
        for (int i = 0; i < MANY; i++)
                ask(&rig, &asked[i], 60000);
        assert_int_equal(rig.running, MANY); /* never from within */
        event_base_dispatch(rig.base);
        for (int i = 0; i < MANY; i++)
                assert_ended(&asked[i], PG_FAILURE_CONNECT);
        assert_true(pg_pool_state(rig.pool).failures > 0);
        assert_non_null(strstr(pg_pool_state(rig.pool).trouble.text, "nobody listens"));
        tear_down(&rig);
}

static void the_pool_looks_for_the_server_by_itself(void **state)
{
        struct rig rig;
        struct asked asked = {0};

        (void)state;
        set_up_absent(&rig, 60000);
        ask(&rig, &asked, 60000);
        event_base_dispatch(rig.base);
        rig.stop_at_lost = rig.lost + 3;
        event_base_dispatch(rig.base);
        assert_int_equal(rig.lost, rig.stop_at_lost);
        ask(&rig, &asked, 60000);
        event_base_dispatch(rig.base);
        assert_ended(&asked, PG_FAILURE_CONNECT);
        assert_true(asked.took_ms < 10000);
        tear_down(&rig);
}

static void done_may_run_the_next(void **state)
{
        struct rig rig;
        struct asked asked = {.again = true};

        (void)state;
        set_up_absent(&rig, 60000);
        ask(&rig, &asked, 60000);
        event_base_dispatch(rig.base);
        assert_false(asked.again);
        assert_ended(&asked, PG_FAILURE_CONNECT);
        tear_down(&rig);
}

static void waiting_ends_at_the_acquire_time_out_or_the_deadline(void **state)
{
        struct rig rig;
        struct asked patient = {0}, hasty = {0}, past = {0};

        (void)state;
        set_up_silent(&rig, 200, 60000);
        ask(&rig, &patient, 60000);
        ask(&rig, &hasty, 20);
        ask(&rig, &past, 0);
        assert_int_equal(pg_pool_state(rig.pool).waiting, 3);
        event_base_dispatch(rig.base);
        assert_ended(&patient, PG_FAILURE_CONNECT);
        assert_ended(&hasty, PG_FAILURE_DEADLINE);
        assert_ended(&past, PG_FAILURE_DEADLINE);
        assert_in_range(patient.took_ms, 200, 30000);
        assert_in_range(hasty.took_ms, 20, 30000);
        assert_true(past.took_ms <= hasty.took_ms && hasty.took_ms <= patient.took_ms);
        assert_int_equal(pg_pool_state(rig.pool).waiting, 0);
        tear_down(&rig);
}

static void a_server_that_says_nothing_costs_a_connect_time_out(void **state)
{
        struct rig rig;
        struct asked asked = {0};
        uint64_t timeouts = counter_read(COUNTER_pg_timeouts);

        (void)state;
        set_up_silent(&rig, 60000, 100);
        ask(&rig, &asked, 60000);
        event_base_dispatch(rig.base);
        assert_ended(&asked, PG_FAILURE_CONNECT);
        assert_in_range(asked.took_ms, 100, 30000);
        assert_true(pg_pool_state(rig.pool).trouble.no_answer);
        assert_true(counter_read(COUNTER_pg_timeouts) > timeouts);
        tear_down(&rig);
}

static void destroying_ends_what_waits(void **state)
{
        struct rig rig;
        struct asked asked[3] = {0};

        (void)state;
        set_up_silent(&rig, 60000, 60000);
        for (int i = 0; i < 3; i++)
                ask(&rig, &asked[i], 60000);
        event_base_loop(rig.base, EVLOOP_NONBLOCK);
        tear_down(&rig);
        assert_int_equal(rig.running, 0);
        for (int i = 0; i < 3; i++)
                assert_ended(&asked[i], PG_FAILURE_CLOSED);
}

static enum err create_and_destroy(void *context)
{
        struct pg_pool_config *config = context;
        struct pg_pool *pool;
        enum err err = pg_pool_create(&pool, config);

        pg_pool_destroy(&pool);
        return err;
}

static void survives_want_of_memory(void **state)
{
        struct pg_server server = {.name = "test", .dsn = "", .prepared_max = 4};
        struct pg_pool_config config = {.server = &server, .size = 2, .now = clock_boot, .base = event_base_new()};

        (void)state;
        each_allocation_fails(create_and_destroy, &config);
        event_base_free(config.base);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_are_told_when_nobody_is_there),
                cmocka_unit_test(the_pool_looks_for_the_server_by_itself),
                cmocka_unit_test(done_may_run_the_next),
                cmocka_unit_test(waiting_ends_at_the_acquire_time_out_or_the_deadline),
                cmocka_unit_test(a_server_that_says_nothing_costs_a_connect_time_out),
                cmocka_unit_test(destroying_ends_what_waits),
                cmocka_unit_test(survives_want_of_memory),
        };

        pg_statement_init(&one, "SELECT 1", "one");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
