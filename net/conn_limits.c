/* What a connection may hold: the account of its memory, and how long its output may wait for a client that reads
 * slowly or not at all. */
#include "base/hot.h"
#include "base/log.h"
#include "monitoring/counters.h"
#include "net/client_memory.h"
#include "net/conn.h"
#include "net/conn_state.h"
#include "net/lane.h"
#include "net/services.h"

#include <event2/event.h>

COLD_PATH void conn_change_memory(struct conn *conn, size_t memory)
{
        int64_t change = (int64_t)memory - (int64_t)conn->memory;

        conn->memory = memory;
        client_memory_change(conn->lane->services->client_memory, conn->lane, change);
}

COLD_PATH bool conn_await_writable(struct conn *conn, bool await, struct nanos now)
{
        conn->write_awaited = await;
        if (!await) {
                list_remove(&conn->unsent);
                conn->soft_from = NANOS_ZERO;
                return event_del(conn->writable) == 0;
        }
        conn->taken = now;
        lane_watch_output(conn->lane, &conn->unsent);
        return event_add(conn->writable, NULL) == 0;
}

static const struct output_limits *output_limits_of(const struct conn *conn)
{
        const struct client_limits *limits = &conn->lane->services->limits;

        return conn->session.subscribed ? &limits->subscriber : &limits->ordinary;
}

static uint64_t unsent_bytes(const struct conn *conn)
{
        return buf_len(&conn->out) + conn->queue.bytes;
}

static void close_overflowed(struct conn *conn, const char *limit)
{
        LOG_WARNING("a client was closed: too much output waited for it", LOG_UINT("client", conn_id(conn)),
                LOG_WORD("limit", limit), LOG_UINT("unsent_bytes", unsent_bytes(conn)));
        counter_add(COUNTER_connections_overflowed, 1);
        conn_close(conn);
}

static bool has_lasted(struct nanos since, struct nanos now, struct nanos most)
{
        return !nanos_before(now, nanos_add(since, most));
}

bool conn_close_overflowed(struct conn *conn)
{
        uint64_t hard = output_limits_of(conn)->hard;

        if (hard == 0 || unsent_bytes(conn) <= hard)
                return false;
        close_overflowed(conn, "hard");
        return true;
}

void conn_check_output(struct conn *conn, struct nanos now)
{
        const struct nanos stall = conn->lane->services->limits.output_stall;
        const struct output_limits *limits = output_limits_of(conn);
        bool is_soft = limits->soft > 0 && unsent_bytes(conn) >= limits->soft;

        if (conn_close_overflowed(conn))
                return;
        if (!is_soft)
                conn->soft_from = NANOS_ZERO;
        else if (conn->soft_from.ns == 0)
                conn->soft_from = now;
        if (is_soft && has_lasted(conn->soft_from, now, limits->grace)) {
                close_overflowed(conn, "soft");
        } else if (stall.ns > 0 && has_lasted(conn->taken, now, stall)) {
                LOG_WARNING("a client was closed: it took nothing of what waited for it",
                        LOG_UINT("client", conn_id(conn)), LOG_UINT("unsent_bytes", unsent_bytes(conn)));
                counter_add(COUNTER_connections_stalled, 1);
                conn_close(conn);
        }
}
