#include "bench/load_run.h"

#include "base/mem.h"
#include "bench/load_conn.h"
#include "bench/schedule.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, OPEN_DEPTH = 64, PATIENCE_S = 10 };

/* A connection, and whether it is watched for being writable. */
struct lane {
        struct load_conn *conn;
        bool blocked;
};

enum phase { WARMING, MEASURING, DRAINING };

struct load {
        const struct load_options *options;
        struct requests *requests;
        struct keys *keys;
        struct lane *lanes;
        int loop;
        enum phase phase;
        struct nanos began; /* of the present phase */
        struct nanos from;  /* what is measured, from and until */
        struct nanos until;
        struct schedule schedule;
        uint64_t issued;
        uint64_t under_way;
        struct load_result *result;
        struct err_msg *msg;
};

/* ---- life ---- */

static enum err open_lane(struct load *load, uint32_t number, struct err_msg *msg)
{
        const struct load_options *o = load->options;
        const struct load_conn_config config = {.port = o->port,
                .requests = load->requests,
                .value_size = o->request.kind == REQUEST_GET ? o->request.value : 0,
                .depth = o->rate > 0 ? OPEN_DEPTH : o->pipeline};
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
        enum err rc = load_conn_open(&load->lanes[number].conn, &config, msg);

        if (rc == OK && epoll_ctl(load->loop, EPOLL_CTL_ADD, load_conn_fd(load->lanes[number].conn), &event) != 0)
                rc = err_errno(msg, ERR_IO, errno, "cannot watch a socket");
        return rc == OK ? OK : err_wrap(msg, rc, "connection %u", number + 1);
}

enum err load_create(struct load **out, const struct load_options *options, struct err_msg *msg)
{
        struct load *load = vc_calloc(1, sizeof(*load));
        enum err rc = ERR_NOMEM;

        *out = NULL;
        if (load == NULL)
                return rc;
        load->options = options;
        load->loop = epoll_create1(EPOLL_CLOEXEC);
        load->lanes = vc_calloc(options->connections, sizeof(*load->lanes));
        if (load->lanes != NULL && load->loop >= 0)
                rc = keys_create(&load->keys, &options->keys);
        if (rc == OK)
                rc = requests_create(&load->requests, &options->request);
        for (uint32_t i = 0; rc == OK && i < options->connections; i++)
                rc = open_lane(load, i, msg);
        if (rc != OK)
                load_destroy(&load);
        *out = load;
        return rc;
}

void load_destroy(struct load **out)
{
        struct load *load = *out;

        *out = NULL;
        if (load == NULL)
                return;
        for (uint32_t i = 0; load->lanes != NULL && i < load->options->connections; i++)
                load_conn_close(&load->lanes[i].conn);
        if (load->loop >= 0)
                close(load->loop);
        keys_destroy(&load->keys);
        requests_destroy(&load->requests);
        vc_free(load->lanes);
        vc_free(load);
}

/* ---- phases ---- */

static struct nanos processor_time(clockid_t clock)
{
        struct timespec t = {0};

        (void)clock_gettime(clock, &t);
        return (struct nanos){t.tv_sec * NANOS_PER_S + t.tv_nsec};
}

static struct nanos server_time(const struct load *load)
{
        clockid_t clock;

        if (load->options->server == 0 || clock_getcpuclockid(load->options->server, &clock) != 0)
                return NANOS_ZERO;
        return processor_time(clock);
}

static void begin_measuring(struct load *load, struct nanos now)
{
        struct load_result *r = load->result;

        histogram_reset(&r->latencies);
        histogram_reset(&r->lags);
        r->requests = 0;
        r->server = server_time(load);
        r->client = processor_time(CLOCK_PROCESS_CPUTIME_ID);
        load->phase = MEASURING;
        load->began = load->from = now;
        load->until = nanos_add(now, load->options->measured);
}

static void end_measuring(struct load *load, struct nanos now)
{
        struct load_result *r = load->result;

        r->server = nanos_sub(server_time(load), r->server);
        r->client = nanos_sub(processor_time(CLOCK_PROCESS_CPUTIME_ID), r->client);
        r->time = nanos_sub(now, load->began);
        load->phase = DRAINING;
        load->began = now;
}

static bool is_over(const struct load *load, struct nanos now)
{
        const struct load_options *o = load->options;

        if (o->requests > 0)
                return load->issued == o->requests && load->under_way == 0;
        return !nanos_before(now, load->until);
}

static void change_phase(struct load *load, struct nanos now)
{
        if (load->phase == WARMING && !nanos_before(now, nanos_add(load->began, load->options->warmup)))
                begin_measuring(load, now);
        else if (load->phase == MEASURING && is_over(load, now))
                end_measuring(load, now);
}

/* ---- requests ---- */

static void add_request(struct load *load, struct lane *lane, struct nanos since)
{
        uint32_t keys[REQUESTS_KEYS_MAX];

        for (uint32_t k = 0; k < load->options->request.keys; k++)
                keys[k] = keys_next(load->keys);
        load_conn_add(lane->conn, keys, since);
        load->issued++;
        load->under_way++;
}

static enum err send_waiting(struct load *load, struct lane *lane)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)(lane - load->lanes)};
        bool blocked;

        if (load_conn_send(lane->conn, &blocked) != OK)
                return err_set(load->msg, ERR_IO, "the server has closed a connection");
        if (blocked == lane->blocked)
                return OK;
        lane->blocked = blocked;
        event.events |= blocked ? EPOLLOUT : 0;
        if (epoll_ctl(load->loop, EPOLL_CTL_MOD, load_conn_fd(lane->conn), &event) != 0)
                return err_errno(load->msg, ERR_IO, errno, "cannot watch a socket");
        return OK;
}

/* Closed loop: what the connection sends next. */
static enum err send_batch(struct load *load, struct lane *lane, struct nanos now)
{
        const uint64_t limit = load->options->requests;

        for (uint32_t i = 0; i < load->options->pipeline && (limit == 0 || load->issued < limit); i++)
                add_request(load, lane, now);
        return send_waiting(load, lane);
}

/* How many requests the open loop is to have sent by `now`: none is meant for after the end. */
static uint64_t due_by(const struct load *load, struct nanos now)
{
        const bool ends = load->phase != WARMING && nanos_before(load->until, now);

        return schedule_due(&load->schedule, ends ? load->until : now);
}

/* Open loop: what is due goes out, on one connection after the other. One that has too much under way holds up those
 * that follow, whose latency counts on. */
static enum err send_due(struct load *load, struct nanos now)
{
        const uint32_t lanes = load->options->connections;
        const uint64_t due = due_by(load, now);
        const uint64_t first = load->issued;
        enum err rc = OK;

        while (load->issued < due) {
                struct lane *lane = &load->lanes[load->issued % lanes];
                const struct nanos meant = schedule_time(&load->schedule, load->issued);

                if (load_conn_under_way(lane->conn) == OPEN_DEPTH)
                        break;
                if (load->phase != WARMING)
                        histogram_add(&load->result->lags, (uint64_t)nanos_sub(now, meant).ns);
                add_request(load, lane, meant);
        }
        for (uint64_t n = first; rc == OK && n < load->issued && n < first + lanes; n++)
                rc = send_waiting(load, &load->lanes[n % lanes]);
        return rc;
}

/* ---- replies ---- */

/* Of an open loop those count that were to be sent in the time measured, whenever they are answered: a server must not
 * gain by answering the worst of them after the end. */
static bool counts(const struct load *load, struct nanos since)
{
        if (load->options->rate == 0)
                return load->phase == MEASURING;
        return load->phase != WARMING && !nanos_before(since, load->from);
}

static enum err on_readable(struct load *load, struct lane *lane)
{
        uint32_t answered;
        struct nanos now;
        enum err rc = load_conn_read(lane->conn, &answered, load->msg);

        if (rc != OK)
                return rc;
        now = clock_boot();
        load->under_way -= answered;
        for (uint32_t i = 0; i < answered; i++) {
                const struct nanos since = load_conn_take(lane->conn);

                if (counts(load, since)) {
                        load->result->requests++;
                        histogram_add(&load->result->latencies, (uint64_t)nanos_sub(now, since).ns);
                }
        }
        if (load->options->rate > 0 || load->phase == DRAINING || load_conn_under_way(lane->conn) > 0)
                return OK;
        return send_batch(load, lane, now);
}

static enum err handle(struct load *load, const struct epoll_event *event)
{
        struct lane *lane = &load->lanes[event->data.u32];
        enum err rc = OK;

        if (event->events & EPOLLOUT)
                rc = send_waiting(load, lane);
        if (rc == OK && (event->events & ~(uint32_t)EPOLLOUT) != 0)
                rc = on_readable(load, lane);
        return rc;
}

/* ---- the loop ---- */

/* An open loop does not sleep: waking up would take longer than the time between two requests. */
static enum err one_turn(struct load *load)
{
        struct epoll_event events[EVENTS];
        const bool spins = load->options->rate > 0 && load->phase != DRAINING;
        const int ready = epoll_wait(load->loop, events, EVENTS, spins ? 0 : 10);
        enum err rc = OK;

        if (ready < 0 && errno != EINTR)
                return err_errno(load->msg, ERR_IO, errno, "cannot wait for replies");
        for (int i = 0; rc == OK && i < ready; i++)
                rc = handle(load, &events[i]);
        return rc;
}

static enum err start(struct load *load)
{
        const struct load_options *o = load->options;
        const struct nanos now = clock_boot();
        enum err rc = OK;

        load->phase = WARMING;
        load->began = now;
        load->schedule = (struct schedule){.start = now, .rate = o->rate};
        if (o->requests > 0 || o->warmup.ns == 0)
                begin_measuring(load, now);
        for (uint32_t i = 0; rc == OK && o->rate == 0 && i < o->connections; i++)
                rc = send_batch(load, &load->lanes[i], now);
        return rc;
}

/* Nor must it gain by keeping this client from sending in time: what was due before the end is sent after it. */
static bool is_drained(const struct load *load)
{
        return load->under_way == 0 && (load->options->rate == 0 || load->issued >= due_by(load, load->until));
}

static enum err drain(struct load *load)
{
        enum err rc = OK;

        while (rc == OK && !is_drained(load)) {
                const struct nanos now = clock_boot();

                if (load->options->rate > 0)
                        rc = send_due(load, now);
                if (rc == OK)
                        rc = one_turn(load);
                if (rc == OK && nanos_before(nanos_add(load->began, nanos_ms(PATIENCE_S * 1000)), now))
                        rc = err_set(load->msg, ERR_IO, "%llu requests were never answered",
                                (unsigned long long)load->under_way);
        }
        return rc;
}

static enum err run_to_end(struct load *load)
{
        enum err rc = start(load);

        while (rc == OK && load->phase != DRAINING) {
                const struct nanos now = clock_boot();

                change_phase(load, now);
                if (load->options->rate > 0)
                        rc = send_due(load, now);
                if (rc == OK && load->phase != DRAINING)
                        rc = one_turn(load);
        }
        return rc == OK ? drain(load) : rc;
}

enum err load_run(struct load *load, struct load_result *result, struct err_msg *msg)
{
        const struct requests_config *request = &load->options->request;
        uint64_t values = 0;
        enum err rc;

        *result = (struct load_result){0};
        load->result = result;
        load->msg = msg;
        rc = run_to_end(load);
        for (uint32_t i = 0; i < load->options->connections; i++) {
                const struct replies *replies = load_conn_replies(load->lanes[i].conn);

                values += replies->values;
                result->errors += replies->errors;
        }
        if (request->kind == REQUEST_GET)
                result->missing = load->issued * request->keys - values;
        return rc;
}
