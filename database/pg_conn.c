#include "database/pg_conn.h"

#include "base/log.h"
#include "base/mem.h"
#include "database/pg_conn_parts.h"
#include "monitoring/counters.h"

#include <string.h>

static void on_timer(evutil_socket_t fd, short what, void *argument);
static void on_handshake(evutil_socket_t fd, short what, void *argument);
static void on_socket(evutil_socket_t fd, short what, void *argument);

/* ---- create, destroy ---- */

enum err pg_conn_create(struct pg_conn **out, const struct pg_conn_config *config)
{
        struct pg_conn *conn = vc_calloc(1, sizeof *conn);

        *out = NULL;
        if (conn == NULL)
                return ERR_NOMEM;
        conn->config = *config;
        conn->readable = event_new(config->base, -1, EV_READ, on_socket, conn);
        conn->writable = event_new(config->base, -1, EV_WRITE, on_socket, conn);
        conn->timer = event_new(config->base, -1, 0, on_timer, conn);
        if (conn->readable == NULL || conn->writable == NULL || conn->timer == NULL ||
                pg_statements_create(&conn->statements, config->server->prepared_max) != OK) {
                pg_conn_destroy(&conn);
                return ERR_NOMEM;
        }
        *out = conn;
        return OK;
}

static void free_event(struct event *event)
{
        if (event != NULL)
                event_free(event);
}

void pg_conn_destroy(struct pg_conn **conn)
{
        struct pg_conn *gone = *conn;

        if (gone == NULL)
                return;
        pg_conn_close(gone);
        free_event(gone->readable);
        free_event(gone->writable);
        free_event(gone->timer);
        pg_statements_destroy(&gone->statements);
        vc_free(gone->uses);
        vc_free(gone->replies);
        vc_free(gone);
        *conn = NULL;
}

enum pg_conn_state pg_conn_state(const struct pg_conn *conn)
{
        return conn->state;
}

/* ---- waiting ---- */

/* Wakes on_timer at `until`. The loop's clock may be a little ahead of ours: rounded up. */
static void wake_at(struct pg_conn *conn, struct nanos until)
{
        int64_t left = nanos_sub(until, conn->config.now()).ns;
        struct timeval span = {0, 1};

        conn->until = until;
        if (left > 0)
                span = (struct timeval){left / NANOS_PER_S, left % NANOS_PER_S / 1000 + 1};
        if (until.ns == NANOS_NEVER.ns)
                event_del(conn->timer);
        else
                event_add(conn->timer, &span);
}

static void watch(struct pg_conn *conn, struct event *event, short what, event_callback_fn callback)
{
        event_del(event);
        event_assign(event, conn->config.base, PQsocket(conn->pg), what, callback, conn);
        event_add(event, NULL);
}

/* The connection is found to be of no use within a call of the owner: told from the loop. */
static void break_later(struct pg_conn *conn)
{
        conn->broken = true;
        event_active(conn->timer, EV_TIMEOUT, 1);
}

/* ---- the end of a connection, and of its exchange ---- */

static void end_exchange(struct pg_conn *conn, struct pg_exchange *exchange)
{
        if (exchange != &conn->own)
                conn->config.events.ended(conn->config.context, exchange);
}

static void close_session(struct pg_conn *conn)
{
        event_del(conn->readable);
        event_del(conn->writable);
        event_del(conn->timer);
        if (conn->state != PG_CONN_OPENING)
                counter_add(COUNTER_pg_disconnects, 1);
        pg_lookup_cancel(&conn->lookup);
        PQfinish(conn->pg);
        conn->pg = NULL;
        conn->state = PG_CONN_CLOSED;
        conn->broken = false;
        pg_statements_clear(conn->statements);
}

/* Takes the exchange off the connection and marks it failed; NULL when there was none. */
static struct pg_exchange *take_failed(struct pg_conn *conn, enum pg_failure failure)
{
        struct pg_exchange *exchange = conn->exchange;

        conn->exchange = NULL;
        if (exchange != NULL) {
                if (exchange->failure == PG_FAILURE_NONE)
                        exchange->failure = failure;
                exchange->status = exchange->failure == PG_FAILURE_MEMORY ? ERR_NOMEM : ERR_UNAVAILABLE;
                exchange->outcome_unknown = conn->sent && (conn->reply_count == 0 || !pg_conn_received_all(conn));
                if (exchange->sqlstate[0] == '\0')
                        memcpy(exchange->sqlstate, conn->last_sqlstate, sizeof conn->last_sqlstate);
        }
        pg_conn_forget_replies(conn);
        return exchange;
}

static void tell_trouble(const struct pg_conn *conn, const struct pg_trouble *trouble)
{
        if (trouble->opening) {
                counter_add(COUNTER_pg_connect_failures, 1);
                LOG_WARNING("postgres_unreachable", LOG_WORD("server", conn->config.server->name),
                        LOG_WORD("sqlstate", trouble->sqlstate), LOG_WORD("why", trouble->text));
        } else {
                LOG_WARNING("postgres_lost", LOG_WORD("server", conn->config.server->name),
                        LOG_WORD("sqlstate", trouble->sqlstate), LOG_WORD("why", trouble->text));
        }
}

/* From the loop only: closes, tells the owner, ends the exchange. The connection may be open again afterwards. */
static void fail(struct pg_conn *conn, enum pg_failure failure, struct pg_trouble trouble)
{
        struct pg_exchange *exchange = take_failed(conn, failure);

        close_session(conn);
        tell_trouble(conn, &trouble);
        conn->config.events.closed(conn->config.context, conn, &trouble);
        if (exchange != NULL)
                end_exchange(conn, exchange);
}

static void fail_lost(struct pg_conn *conn)
{
        struct pg_trouble trouble = pg_trouble_of_loss(conn->last_sqlstate);

        if (conn->state == PG_CONN_OPENING && conn->exchange == NULL && conn->pg != NULL)
                trouble = pg_trouble_of_connect(PQerrorMessage(conn->pg));
        trouble.opening = conn->state == PG_CONN_OPENING;
        fail(conn, PG_FAILURE_LOST, trouble);
}

void pg_conn_close(struct pg_conn *conn)
{
        struct pg_exchange *exchange;

        if (conn->state == PG_CONN_CLOSED)
                return;
        exchange = take_failed(conn, PG_FAILURE_CLOSED);
        close_session(conn);
        if (exchange != NULL)
                end_exchange(conn, exchange);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
        struct pg_conn *conn = argument;

        (void)fd, (void)what;
        if (conn->broken) {
                fail_lost(conn);
        } else if (nanos_before(conn->config.now(), conn->until)) {
                wake_at(conn, conn->until);
        } else {
                counter_add(COUNTER_pg_timeouts, 1);
                fail(conn, PG_FAILURE_DEADLINE, pg_trouble_of_silence(conn->state == PG_CONN_OPENING));
        }
}

/* ---- running ---- */

/* Lets libpq write what it holds; waits for room when the network takes no more. */
static bool flush(struct pg_conn *conn)
{
        int left = PQflush(conn->pg);

        if (left == 1)
                event_add(conn->writable, NULL);
        return left >= 0;
}

static void run(struct pg_conn *conn, struct pg_exchange *exchange)
{
        conn->exchange = exchange;
        exchange->status = OK;
        exchange->failure = PG_FAILURE_NONE;
        exchange->sqlstate[0] = '\0';
        exchange->outcome_unknown = exchange->stale_plan = false;
        exchange->results = 0;
        wake_at(conn, exchange->deadline);
        if (!pg_conn_send(conn) || !flush(conn))
                break_later(conn);
}

void pg_conn_run(struct pg_conn *conn, struct pg_exchange *exchange)
{
        VC_ASSERT(conn->state == PG_CONN_IDLE && exchange->step_count > 0);
        conn->state = PG_CONN_BUSY;
        counter_add(COUNTER_pg_exchanges, 1);
        run(conn, exchange);
}

/* A statement of the connection's own, in the time that a connection may take. */
static void run_own(struct pg_conn *conn, const char *sql, const char *label)
{
        pg_statement_init(&conn->own_statement, sql, label);
        conn->own_statement.once = true;
        conn->own_step = (struct pg_step){.statement = &conn->own_statement};
        conn->own = (struct pg_exchange){.steps = &conn->own_step, .step_count = 1};
        conn->own.deadline = nanos_add(conn->config.now(), conn->config.server->connect_timeout);
        run(conn, &conn->own);
}

static void become_idle(struct pg_conn *conn)
{
        conn->state = PG_CONN_IDLE;
        wake_at(conn, NANOS_NEVER);
}

static void tell_idle(struct pg_conn *conn)
{
        if (conn->state == PG_CONN_IDLE)
                conn->config.events.idle(conn->config.context, conn);
}

static void take_notifications(struct pg_conn *conn)
{
        PGnotify *notify;

        while ((notify = PQnotifies(conn->pg)) != NULL) {
                conn->config.events.notify(conn->config.context, notify->relname, notify->extra);
                PQfreemem(notify);
        }
}

/* All results are there. Greeting or ROLLBACK that failed: the session is not what it has to be. A transaction that was
 * left open is rolled back, while the exchange is told that it is done. */
static void finish(struct pg_conn *conn)
{
        struct pg_exchange *exchange = conn->exchange;
        bool open_transaction, useless;

        PQclear(PQgetResult(conn->pg)); /* libpq sees for itself that nothing is left, and knows the state */
        take_notifications(conn);       /* what the exchange itself sent comes with its end */
        open_transaction = PQtransactionStatus(conn->pg) != PQTRANS_IDLE;
        useless = exchange == &conn->own && (exchange->sqlstate[0] != '\0' || open_transaction);
        if (useless) {
                memcpy(conn->last_sqlstate, exchange->sqlstate, sizeof conn->last_sqlstate);
                fail_lost(conn);
                return;
        }
        conn->exchange = NULL;
        pg_conn_forget_replies(conn);
        if (open_transaction) {
                conn->state = PG_CONN_MENDING;
                counter_add(COUNTER_pg_left_open, 1);
                run_own(conn, "ROLLBACK", "rollback");
        } else {
                if (conn->state == PG_CONN_OPENING)
                        counter_add(COUNTER_pg_connects, 1);
                become_idle(conn);
        }
        end_exchange(conn, exchange);
        tell_idle(conn);
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
        struct pg_conn *conn = argument;
        bool alive = true;

        (void)fd;
        if ((what & EV_READ) != 0)
                alive = PQconsumeInput(conn->pg) == 1;
        take_notifications(conn);
        /* What came before the end is looked at first: it says why. */
        alive = pg_conn_receive(conn) && alive;
        alive = alive && flush(conn);
        if (!alive || conn->broken)
                fail_lost(conn);
        else if (conn->exchange != NULL && pg_conn_received_all(conn))
                finish(conn);
}

/* ---- opening ---- */

/* What PostgreSQL says beside results. A FATAL between exchanges comes this way too ("terminating connection"). */
static void on_notice(void *argument, const PGresult *notice)
{
        struct pg_conn *conn = argument;
        const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

        if (severity != NULL && strcmp(severity, "FATAL") == 0)
                pg_sqlstate(notice, conn->last_sqlstate);
        else if (conn->exchange != NULL && conn->exchange->notice != NULL)
                conn->exchange->notice(conn->exchange, notice);
}

static void opened(struct pg_conn *conn)
{
        bool ready = PQsetnonblocking(conn->pg, 1) == 0 && PQenterPipelineMode(conn->pg) == 1;

        if (!ready) {
                fail_lost(conn);
                return;
        }
        watch(conn, conn->readable, EV_READ | EV_PERSIST, on_socket);
        event_del(conn->writable);
        event_assign(conn->writable, conn->config.base, PQsocket(conn->pg), EV_WRITE, on_socket, conn);
        if (conn->config.greeting != NULL) {
                run_own(conn, conn->config.greeting, "greeting");
                return;
        }
        counter_add(COUNTER_pg_connects, 1);
        become_idle(conn);
        tell_idle(conn);
}

/* A step of libpq's handshake. The socket may be another one after each (the next host), so the events, which fire
 * once, are made anew. */
static void on_handshake(evutil_socket_t fd, short what, void *argument)
{
        struct pg_conn *conn = argument;

        (void)fd, (void)what;
        switch (PQconnectPoll(conn->pg)) {
        case PGRES_POLLING_OK: opened(conn); break;
        case PGRES_POLLING_READING: watch(conn, conn->readable, EV_READ, on_handshake); break;
        case PGRES_POLLING_WRITING: watch(conn, conn->writable, EV_WRITE, on_handshake); break;
        default: fail_lost(conn); break;
        }
}

/* Begins the handshake with one of these hosts (none: the DSN's own words say where). */
static void connect_to(struct pg_conn *conn, const struct pg_hosts *hosts)
{
        struct pg_server_words words;

        if (pg_server_words_init(&words, conn->config.server, hosts, conn->first_host) == OK) {
                conn->pg = PQconnectStartParams(words.keywords, words.values, 0);
                pg_server_words_deinit(&words);
        }
        if (conn->pg == NULL) {
                break_later(conn);
                return;
        }
        PQsetErrorVerbosity(conn->pg, PQERRORS_SQLSTATE); /* no texts: they are not ours to log */
        PQsetNoticeReceiver(conn->pg, on_notice, conn);
        if (PQstatus(conn->pg) == CONNECTION_BAD)
                break_later(conn);
        else
                watch(conn, conn->writable, EV_WRITE, on_handshake);
}

static void on_found(void *context, enum err err, struct pg_hosts *hosts)
{
        struct pg_conn *conn = context;

        conn->lookup = NULL;
        if (err == OK) {
                connect_to(conn, hosts);
                pg_hosts_deinit(hosts);
        } else {
                fail(conn, PG_FAILURE_LOST, pg_trouble_of_connect("could not translate host name"));
        }
}

void pg_conn_open(struct pg_conn *conn, uint32_t first_host)
{
        struct pg_hosts hosts;
        enum err err;

        VC_ASSERT(conn->state == PG_CONN_CLOSED);
        conn->state = PG_CONN_OPENING;
        conn->last_sqlstate[0] = '\0';
        conn->first_host = first_host;
        wake_at(conn, nanos_add(conn->config.now(), conn->config.server->connect_timeout));
        err = pg_server_hosts(conn->config.server, &hosts);
        if (err == OK && pg_hosts_need_lookup(&hosts))
                err = pg_lookup_start(&conn->lookup, conn->config.base, &hosts, on_found, conn);
        else if (err == OK)
                connect_to(conn, &hosts);
        pg_hosts_deinit(&hosts);
        if (err != OK)
                break_later(conn);
}
