/* A connection as others see it: its place in the lane's lists, messages to it, its description. */
#include "net/conn.h"
#include "net/conn_state.h"
#include "net/lane.h"
#include "net/pubsub.h"
#include "net/resp_write.h"
#include "net/services.h"

#include <inttypes.h>

void conn_subscribe(struct conn *conn, bool subscribe)
{
        struct lane *lane = conn->lane;

        if (conn->session.subscribed == subscribe)
                return;
        conn->session.subscribed = subscribe;
        list_remove(&conn->subscriber);
        if (subscribe)
                list_push_back(&lane->subscribers, &conn->subscriber);
        pubsub_count(lane->services->pubsub, lane, subscribe ? 1 : -1);
}

void conn_send_message(struct conn *conn, struct slice channel, struct slice payload)
{
        struct resp_writer w = resp_writer_of(&conn->out, conn->session.proto);

        resp_push(&w, 3);
        resp_bulk_str(&w, "message");
        resp_bulk(&w, channel);
        resp_bulk(&w, payload);
        if (w.failed != OK) {
                conn_close(conn);
                return;
        }
        if (conn_close_overflowed(conn))
                return;
        conn_account(conn);
        lane_mark_dirty(conn->lane, &conn->dirty);
}

struct conn *conn_of_link(struct list *link)
{
        return LIST_ENTRY(link, struct conn, link);
}

struct conn *conn_of_dirty(struct list *link)
{
        return LIST_ENTRY(link, struct conn, dirty);
}

struct conn *conn_of_subscriber(struct list *link)
{
        return LIST_ENTRY(link, struct conn, subscriber);
}

struct conn *conn_of_unsent(struct list *link)
{
        return LIST_ENTRY(link, struct conn, unsent);
}

struct nanos conn_last_active(const struct conn *conn)
{
        return conn->active;
}

bool conn_is_subscribed(const struct conn *conn)
{
        return conn->session.subscribed;
}

uint64_t conn_id(const struct conn *conn)
{
        return conn->session.id;
}

size_t conn_held_memory(const struct conn *conn)
{
        return conn->memory;
}

/* In the words of Redis, and with all the numbers that client libraries read; some never change here. `waiting` and
 * `format` are ours. */
enum err conn_describe(const struct conn *conn, struct nanos now, struct buf *out)
{
        const struct session *s = &conn->session;
        enum err rc = buf_printf(out,
                "id=%" PRIu64 " name=%s age=%" PRId64 " idle=%" PRId64 " user=%s resp=%d format=%s db=0 sub=%d psub=0"
                " multi=-1 qbuf=%zu qbuf-free=%zu argv-mem=%zu",
                s->id, s->name, nanos_to_ms(nanos_sub(now, conn->opened)) / 1000,
                nanos_to_ms(nanos_sub(now, conn->active)) / 1000, s->identity, s->proto,
                s->format == FORMAT_JSON ? "json" : "msgpack", s->subscribed ? 1 : 0, buf_len(&conn->in),
                buf_room(&conn->in), resp_parser_memory(&conn->parser));

        if (rc != OK)
                return rc;
        return buf_printf(out,
                " obl=%zu oll=%" PRIu32 " omem=%zu tot-mem=%zu waiting=%" PRIu32 " tot-cmds=%" PRIu64
                " lib-name=%s lib-ver=%s",
                buf_len(&conn->out), conn->queue.count, conn->queue.memory + conn->queue.held, conn->memory,
                conn->queue.waiting, conn->commands, s->library, s->library_version);
}
