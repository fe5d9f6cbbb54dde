#include "database/pg_pool.h"

#include "base/mem.h"
#include "database/pg_backoff.h"
#include "monitoring/counters.h"

#include <event2/event.h>

struct slot {
        struct pg_conn *conn;
        bool open; /* its session has been told to the owner */
};

struct pg_pool {
        struct pg_pool_config config;
        struct slot *slots;
        struct list waiting; /* struct pg_exchange, the oldest first */
        uint32_t waiting_count;
        struct event *timer;
        struct nanos wakes;  /* when the timer fires; NANOS_NEVER: not */
        struct nanos again;  /* no attempt to connect before */
        uint32_t failures;   /* attempts that failed one after another */
        uint32_t first_host; /* where the next attempt begins: behind hosts that did not answer */
        uint64_t random;
        struct pg_trouble trouble;
        bool closing;
};

static struct pg_exchange *exchange_of(struct list *link)
{
        return LIST_ENTRY(link, struct pg_exchange, link);
}

/* ---- what there is ---- */

static uint32_t count_in(const struct pg_pool *pool, enum pg_conn_state state)
{
        uint32_t count = 0;

        for (uint32_t i = 0; i < pool->config.size; i++)
                count += pg_conn_state(pool->slots[i].conn) == state;
        return count;
}

static struct slot *slot_in(struct pg_pool *pool, enum pg_conn_state state)
{
        for (uint32_t i = 0; i < pool->config.size; i++)
                if (pg_conn_state(pool->slots[i].conn) == state)
                        return &pool->slots[i];
        return NULL;
}

static struct slot *slot_of(struct pg_pool *pool, const struct pg_conn *conn)
{
        uint32_t i = 0;

        while (pool->slots[i].conn != conn)
                i++;
        return &pool->slots[i];
}

static uint32_t open_count(const struct pg_pool *pool)
{
        return pool->config.size - count_in(pool, PG_CONN_CLOSED) - count_in(pool, PG_CONN_OPENING);
}

/* Nobody should wait for a server that is known to be gone. After the first failure an attempt under way is waited for:
 * the server may only have been restarted; after the second the pool alone finds out when it is back. */
static bool is_hopeless(const struct pg_pool *pool)
{
        if (pool->failures == 0 || open_count(pool) > 0)
                return false;
        return pool->failures > 1 || count_in(pool, PG_CONN_OPENING) == 0;
}

struct pg_pool_state pg_pool_state(const struct pg_pool *pool)
{
        return (struct pg_pool_state){.open = open_count(pool),
                .busy = count_in(pool, PG_CONN_BUSY) + count_in(pool, PG_CONN_MENDING),
                .waiting = pool->waiting_count,
                .failures = pool->failures,
                .trouble = pool->trouble};
}

/* ---- the timer: when something is to be done that no connection will tell ---- */

static void wake_by(struct pg_pool *pool, struct nanos when)
{
        int64_t left = nanos_sub(when, pool->config.now()).ns;
        struct timeval span = {0, 1};

        if (!nanos_before(when, pool->wakes))
                return;
        pool->wakes = when;
        if (left > 0)
                span = (struct timeval){left / NANOS_PER_S, left % NANOS_PER_S / 1000 + 1};
        event_add(pool->timer, &span);
}

static struct nanos gives_up_at(const struct pg_exchange *exchange)
{
        return nanos_before(exchange->deadline, exchange->waits_until) ? exchange->deadline : exchange->waits_until;
}

/* ---- serving ---- */

static void wait_in(struct pg_pool *pool, struct pg_exchange *exchange, bool first)
{
        if (first)
                list_push_front(&pool->waiting, &exchange->link);
        else
                list_push_back(&pool->waiting, &exchange->link);
        pool->waiting_count++;
        wake_by(pool, gives_up_at(exchange));
}

static void no_longer_waits(struct pg_pool *pool, struct pg_exchange *exchange)
{
        list_remove(&exchange->link);
        pool->waiting_count--;
}

/* Opens as many connections as exchanges wait for, and one when the server is to be found again. */
static void open_some(struct pg_pool *pool)
{
        uint32_t opening = count_in(pool, PG_CONN_OPENING);
        bool looks_for_server = pool->failures > 0 && open_count(pool) == 0;
        uint32_t wanted = looks_for_server ? 1 : pool->waiting_count;

        if (opening >= wanted || slot_in(pool, PG_CONN_CLOSED) == NULL)
                return;
        if (nanos_before(pool->config.now(), pool->again)) {
                wake_by(pool, pool->again);
                return;
        }
        for (; opening < wanted && slot_in(pool, PG_CONN_CLOSED) != NULL; opening++)
                pg_conn_open(slot_in(pool, PG_CONN_CLOSED)->conn, pool->first_host);
}

/* Calls nobody back. */
static void serve(struct pg_pool *pool)
{
        struct slot *idle;

        if (pool->closing)
                return;
        while (!list_empty(&pool->waiting) && (idle = slot_in(pool, PG_CONN_IDLE)) != NULL) {
                struct pg_exchange *exchange = exchange_of(pool->waiting.next);

                no_longer_waits(pool, exchange);
                pg_conn_run(idle->conn, exchange);
        }
        open_some(pool);
        if (!list_empty(&pool->waiting) && is_hopeless(pool))
                wake_by(pool, pool->config.now());
}

/* Why a waiting exchange has waited for long enough; PG_FAILURE_NONE: it has not. */
static enum pg_failure verdict(const struct pg_pool *pool, const struct pg_exchange *exchange, struct nanos now)
{
        if (!nanos_before(now, exchange->deadline))
                return PG_FAILURE_DEADLINE;
        if (is_hopeless(pool))
                return PG_FAILURE_CONNECT;
        if (nanos_before(now, exchange->waits_until))
                return PG_FAILURE_NONE;
        return open_count(pool) > 0 ? PG_FAILURE_EXHAUSTED : PG_FAILURE_CONNECT;
}

static void end_unsent(struct pg_pool *pool, struct pg_exchange *exchange, enum pg_failure failure)
{
        exchange->status = failure == PG_FAILURE_EXHAUSTED ? ERR_BUSY : ERR_UNAVAILABLE;
        exchange->failure = failure;
        exchange->outcome_unknown = exchange->stale_plan = false;
        memcpy(exchange->sqlstate, failure == PG_FAILURE_CONNECT ? pool->trouble.sqlstate : "\0\0\0\0\0",
                sizeof exchange->sqlstate);
        exchange->done(exchange);
}

/* Ends what has waited for too long; what callbacks add meanwhile is behind, and is looked at as well. */
static void expire(struct pg_pool *pool)
{
        struct nanos now = pool->config.now();
        struct list left = {&left, &left};

        while (!list_empty(&pool->waiting)) {
                struct pg_exchange *exchange = exchange_of(pool->waiting.next);
                enum pg_failure failure = verdict(pool, exchange, now);

                list_remove(&exchange->link);
                if (failure == PG_FAILURE_NONE) {
                        list_push_back(&left, &exchange->link);
                        wake_by(pool, gives_up_at(exchange));
                        continue;
                }
                pool->waiting_count--;
                counter_add(COUNTER_pg_exhausted, failure == PG_FAILURE_EXHAUSTED);
                end_unsent(pool, exchange, failure);
        }
        list_splice_back(&pool->waiting, &left);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
        struct pg_pool *pool = argument;

        (void)fd, (void)what;
        pool->wakes = NANOS_NEVER;
        expire(pool);
        serve(pool);
}

/* ---- what connections tell ---- */

static void on_idle(void *context, struct pg_conn *conn)
{
        struct pg_pool *pool = context;
        struct slot *slot = slot_of(pool, conn);

        if (!slot->open) {
                slot->open = true;
                pool->failures = 0;
                pool->again = NANOS_ZERO;
                if (pool->config.opened != NULL)
                        pool->config.opened(pool->config.context);
        }
        serve(pool);
}

static void on_closed(void *context, struct pg_conn *conn, const struct pg_trouble *trouble)
{
        struct pg_pool *pool = context;

        slot_of(pool, conn)->open = false;
        pool->trouble = *trouble;
        if (trouble->opening) {
                pool->failures++;
                pool->first_host += trouble->no_answer;
                pool->again = nanos_add(pool->config.now(), pg_backoff(pool->failures, random_next(&pool->random)));
        }
        if (pool->config.lost != NULL)
                pool->config.lost(pool->config.context, trouble);
        serve(pool);
}

/* A read whose connection was gone already (the server was restarted since) gets another one, once. */
static void on_ended(void *context, struct pg_exchange *exchange)
{
        struct pg_pool *pool = context;

        bool again = exchange->failure == PG_FAILURE_LOST && exchange->repeatable && !exchange->repeated;

        if (!again || exchange->results > 0 || pool->closing) {
                exchange->done(exchange);
                return;
        }
        exchange->repeated = true;
        wait_in(pool, exchange, true);
        serve(pool);
}

static void on_notify(void *context, const char *channel, const char *payload)
{
        struct pg_pool *pool = context;

        if (pool->config.notify != NULL)
                pool->config.notify(pool->config.context, channel, payload);
}

/* ---- run, create, destroy ---- */

void pg_pool_run(struct pg_pool *pool, struct pg_exchange *exchange)
{
        exchange->waits_until = nanos_add(pool->config.now(), pool->config.acquire_timeout);
        exchange->results = 0;
        exchange->repeated = false;
        wait_in(pool, exchange, false);
        serve(pool);
        counter_add(COUNTER_pg_waits, pool->waiting_count > 0);
}

static enum err create_slots(struct pg_pool *pool)
{
        struct pg_conn_config config = {.base = pool->config.base,
                .server = pool->config.server,
                .greeting = pool->config.greeting,
                .now = pool->config.now,
                .events = {.idle = on_idle, .closed = on_closed, .ended = on_ended, .notify = on_notify},
                .context = pool};
        enum err err = OK;

        pool->slots = vc_calloc(pool->config.size, sizeof *pool->slots);
        if (pool->slots == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < pool->config.size && err == OK; i++)
                err = pg_conn_create(&pool->slots[i].conn, &config);
        return err;
}

enum err pg_pool_create(struct pg_pool **out, const struct pg_pool_config *config)
{
        struct pg_pool *pool = vc_calloc(1, sizeof *pool);

        VC_ASSERT(config->size > 0);
        *out = NULL;
        if (pool == NULL)
                return ERR_NOMEM;
        pool->config = *config;
        pool->random = config->seed;
        pool->wakes = NANOS_NEVER;
        list_init(&pool->waiting);
        pool->timer = event_new(config->base, -1, 0, on_timer, pool);
        if (pool->timer == NULL || create_slots(pool) != OK) {
                pg_pool_destroy(&pool);
                return ERR_NOMEM;
        }
        *out = pool;
        return OK;
}

void pg_pool_destroy(struct pg_pool **pool)
{
        struct pg_pool *gone = *pool;

        if (gone == NULL)
                return;
        gone->closing = true;
        for (uint32_t i = 0; i < gone->config.size && gone->slots != NULL; i++)
                pg_conn_destroy(&gone->slots[i].conn);
        while (!list_empty(&gone->waiting)) {
                struct pg_exchange *exchange = exchange_of(gone->waiting.next);

                no_longer_waits(gone, exchange);
                end_unsent(gone, exchange, PG_FAILURE_CLOSED);
        }
        if (gone->timer != NULL)
                event_free(gone->timer);
        vc_free(gone->slots);
        vc_free(gone);
        *pool = NULL;
}
