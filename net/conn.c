#include "net/conn.h"

#include "base/hot.h"
#include "base/mem.h"
#include "monitoring/counters.h"
#include "net/call.h"
#include "net/client_memory.h"
#include "net/command.h"
#include "net/conn_state.h"
#include "net/lane.h"
#include "net/pubsub.h"
#include "net/resp_parse.h"
#include "net/services.h"
#include "net/session.h"

#include <event2/event.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct client_limits *limits_of(const struct conn *conn)
{
        return &conn->lane->services->limits;
}

static void conn_free(struct conn *conn)
{
        struct lane *lane = conn->lane;

        reply_queue_deinit(&conn->queue);
        resp_parser_deinit(&conn->parser);
        buf_deinit(&conn->in);
        buf_deinit(&conn->out);
        conn_change_memory(conn, 0);
        vc_free(conn);
        lane_conn_gone(lane);
}

static void free_events(struct conn *conn)
{
        if (conn->readable != NULL)
                event_free(conn->readable);
        if (conn->writable != NULL)
                event_free(conn->writable);
        conn->readable = NULL;
        conn->writable = NULL;
}

COLD_PATH void conn_close(struct conn *conn)
{
        VC_ASSERT(conn->fd >= 0);
        free_events(conn);
        close(conn->fd);
        conn->fd = -1;
        list_remove(&conn->link);
        list_remove(&conn->dirty);
        list_remove(&conn->unsent);
        conn_subscribe(conn, false);
        counter_add(COUNTER_connections_closed, 1);
        atomic_fetch_sub(&conn->lane->services->clients, 1);
        if (conn->queue.waiting == 0) {
                conn_free(conn);
                return;
        }
        buf_deinit(&conn->out);
        if (conn->holder == NULL) /* else its words are in there */
                buf_deinit(&conn->in);
        conn_account(conn);
}

/* read() and send() are places where a thread may be cancelled, which takes the C library some sixty instructions for
 * each GET to prepare for. Nobody cancels a worker: these are the bare calls. */
static ssize_t read_bytes(int fd, uint8_t *room, size_t len)
{
        return syscall(SYS_read, fd, room, len);
}

static ssize_t send_bytes(int fd, struct slice bytes)
{
        return syscall(SYS_sendto, fd, bytes.data, bytes.len, MSG_NOSIGNAL, NULL, 0);
}

/* ---- bytes out ---- */

/* One write of what there is. False when the connection is broken. */
static bool flush(struct conn *conn, struct nanos now)
{
        struct slice bytes = buf_slice(&conn->out);
        ssize_t sent;

        if (bytes.len == 0)
                return true;
        sent = send_bytes(conn->fd, bytes);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                return false;
        if (sent > 0) {
                counter_add(COUNTER_bytes_sent, (uint64_t)sent);
                buf_consume(&conn->out, (size_t)sent);
                conn->taken = now;
        }
        return conn->write_awaited == (buf_len(&conn->out) > 0) || conn_await_writable(conn, !conn->write_awaited, now);
}

/* ---- commands ---- */

/* A request that cannot be understood ends the connection after the replies before it: where the next one would begin
 * is not known. */
COLD_PATH static void refuse_bytes(struct conn *conn, enum err code, const struct err_msg *msg)
{
        struct reply_slot *slot = reply_queue_take(&conn->queue);
        struct resp_writer w;

        counter_add(COUNTER_protocol_errors, 1);
        conn->closing = true;
        conn->refused = true;
        if (slot == NULL)
                return;
        w = resp_writer_of(&slot->reply, conn->session.proto);
        call_write_error(&w, code, msg->text);
        reply_queue_push(&conn->queue, slot, true);
}

static bool next_frame(struct conn *conn)
{
        struct err_msg msg;
        enum err code = OK;

        for (;;) {
                enum resp_status status =
                        resp_next_frame(&conn->parser, buf_slice(&conn->in), &conn->frame, &code, &msg);

                if (status == RESP_BAD)
                        refuse_bytes(conn, code, &msg);
                if (status == RESP_NEED_MORE || status == RESP_BAD)
                        return false;
                if (status == RESP_FRAME) {
                        conn->has_frame = true;
                        return true;
                }
                buf_consume(&conn->in, conn->frame.consumed);
        }
}

static void drop_frame(struct conn *conn)
{
        buf_consume(&conn->in, conn->frame.consumed);
        conn->has_frame = false;
}

/* The reply is in call->out: straight in the output, or in a slot behind those that wait. */
static void settle(struct conn *conn, struct call *call)
{
        if (call->deferred && (call->row->flags & COMMAND_OVERLAPS) != 0) {
                reply_queue_push_write(&conn->queue, call->slot, conn->frame.consumed);
        } else if (call->deferred) {
                conn->holder = call->hold ? call->slot : NULL;
                reply_queue_push(&conn->queue, call->slot, false);
        } else if (call->slot != NULL && call->out.out == &call->slot->reply) {
                reply_queue_push(&conn->queue, call->slot, true);
        } else {
                reply_queue_give(&conn->queue, call->slot);
        }
        if (call->close)
                conn->closing = true;
        if (conn->holder == NULL)
                drop_frame(conn);
}

static bool run_frame(struct conn *conn, struct nanos now)
{
        struct call call;

        call.conn = conn;
        call.lane = conn->lane;
        call.services = conn->lane->services;
        call.session = &conn->session;
        call.row = NULL;
        call.argv = conn->frame.argv;
        call.argc = conn->frame.argc;
        call.now = now;
        call.earlier_waiting = conn->queue.count > 0;
        call.queue = &conn->queue;
        call.slot = NULL;
        call.message.text[0] = '\0';
        call.deferred = call.hold = call.close = false;
        if (call.earlier_waiting && call_need_slot(&call) != OK) {
                conn->closing = true;
                return false;
        }
        call.out = resp_writer_of(call.earlier_waiting ? &call.slot->reply : &conn->out, conn->session.proto);
        call.mark = buf_len(call.out.out);
        if (command_run(&call) == COMMAND_MUST_WAIT) {
                reply_queue_give(&conn->queue, call.slot);
                return false;
        }
        conn->commands++;
        settle(conn, &call);
        return true;
}

static bool output_is_full(const struct conn *conn)
{
        return buf_len(&conn->out) + conn->queue.bytes >= limits_of(conn)->output_pause;
}

/* One turn. It is measured in words, as a read of a hundred keys holds up the others a hundred times as long as a read
 * of one. */
static void run_commands(struct conn *conn, struct nanos now)
{
        const struct client_limits *limits = limits_of(conn);
        uint64_t words = 0;

        conn->output_full = false;
        conn->turn_over = false;
        while (!conn->closing && conn->holder == NULL && conn->queue.count < limits->commands) {
                if (output_is_full(conn)) {
                        conn->output_full = true;
                        return;
                }
                if (!conn->has_frame && !next_frame(conn))
                        return;
                if (words >= limits->turn_words) {
                        conn->turn_over = true;
                        counter_add(COUNTER_turns_given_up, 1);
                        return;
                }
                words += conn->frame.argc;
                if (!run_frame(conn, now))
                        return;
        }
}

/* ---- the loop's calls ---- */

static bool wants_bytes(const struct conn *conn)
{
        return !conn->eof && !conn->closing && !conn->has_frame && !conn->output_full &&
               conn->queue.count < limits_of(conn)->commands;
}

/* All that was asked has been answered and sent, and no more will come. */
static bool is_over(const struct conn *conn)
{
        if (conn->queue.count > 0 || buf_len(&conn->out) > 0)
                return false;
        return conn->closing || (conn->eof && !conn->has_frame && !conn->output_full);
}

/* Now that bytes are sent there may be room for what was held back, and no event would tell so: with nothing left to
 * send the socket is not watched. With output left over it is, and conn_on_writable comes here again. */
static bool has_more_to_do(const struct conn *conn)
{
        if (reply_queue_is_ready(&conn->queue))
                return buf_len(&conn->out) < limits_of(conn)->output_pause;
        return conn->turn_over || (conn->output_full && !output_is_full(conn));
}

/* What the turn leaves to others, and to come. */
static void end_turn(struct conn *conn)
{
        struct lane *lane = conn->lane;

        if (has_more_to_do(conn))
                lane_mark_later(lane, &conn->dirty);
        else if (conn->output_full)
                counter_add(COUNTER_output_pauses, 1);
        if (conn->read_paused && wants_bytes(conn) && event_add(conn->readable, NULL) == 0)
                conn->read_paused = false;
        if (!conn->has_frame)
                lane_take_back(&conn->in, &lane->spare_in);
        lane_take_back(&conn->out, &lane->spare_out);
        conn_account(conn);
}

void conn_service(struct conn *conn, struct nanos now)
{
        const uint64_t enough = limits_of(conn)->output_pause;

        lane_lend(&conn->out, &conn->lane->spare_out);
        if (reply_queue_drain(&conn->queue, &conn->out, enough) != OK) {
                conn_close(conn);
                return;
        }
        run_commands(conn, now);
        if (reply_queue_drain(&conn->queue, &conn->out, enough) != OK || !flush(conn, now)) {
                conn_close(conn);
                return;
        }
        if (is_over(conn))
                conn_end(conn, now);
        else
                end_turn(conn);
}

/* One read() into the room there is. False when the connection is broken. */
static bool receive(struct conn *conn)
{
        const size_t most = limits_of(conn)->turn_bytes;
        size_t room;
        ssize_t got;

        if (buf_room(&conn->in) < CONN_READ_ROOM / 4 && buf_reserve(&conn->in, CONN_READ_ROOM) != OK)
                return false;
        room = buf_room(&conn->in);
        got = read_bytes(conn->fd, conn->in.data + conn->in.end, room < most ? room : most);
        if (got < 0)
                return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        if (got == 0)
                conn->eof = true;
        counter_add(COUNTER_bytes_received, (uint64_t)got);
        buf_added(&conn->in, (size_t)got);
        return true;
}

static void pause_reading(struct conn *conn)
{
        if (event_del(conn->readable) == 0)
                conn->read_paused = true;
}

HOT_PATH static void conn_on_readable(evutil_socket_t fd, short what, void *arg)
{
        struct conn *conn = arg;
        struct lane *lane = conn->lane;
        struct nanos now;

        (void)fd;
        (void)what;
        if (conn->lingering) {
                conn_throw_away(conn);
                return;
        }
        if (!wants_bytes(conn)) { /* found out late, so that a command that waits a little costs no system call */
                if (list_empty(&conn->dirty)) /* else its next turn is about to come */
                        pause_reading(conn);
                return;
        }
        if (client_memory_is_short(lane->services->client_memory))
                return; /* the loop comes back at once, and somebody is closed soon */
        lane_lend(&conn->in, &lane->spare_in);
        if (!receive(conn)) {
                conn_close(conn);
                return;
        }
        if (conn->eof)
                pause_reading(conn);
        now = clock_boot();
        conn->active = now;
        list_remove(&conn->link);
        list_push_back(&lane->conns, &conn->link);
        conn_service(conn, now);
}

static void conn_on_writable(evutil_socket_t fd, short what, void *arg)
{
        struct conn *conn = arg;

        (void)fd;
        (void)what;
        list_remove(&conn->dirty); /* one turn, not two */
        conn_service(conn, clock_boot());
}

void conn_reply_done(struct conn *conn, struct reply_slot *slot)
{
        reply_queue_finish(&conn->queue, slot);
        if (conn->holder == slot) {
                conn->holder = NULL;
                drop_frame(conn);
        }
        conn_account(conn);
        if (conn->fd >= 0)
                lane_mark_dirty(conn->lane, &conn->dirty);
        else if (conn->queue.waiting == 0)
                conn_free(conn);
}

void conn_begin_stop(struct conn *conn)
{
        if (!conn->eof) {
                conn->eof = true;
                conn->stopping = true;
                pause_reading(conn);
        }
        conn_service(conn, clock_boot());
}

/* ---- life ---- */

static enum err add_events(struct conn *conn)
{
        struct event_base *base = conn->lane->base;

        conn->readable = event_new(base, conn->fd, EV_READ | EV_PERSIST, conn_on_readable, conn);
        conn->writable = event_new(base, conn->fd, EV_WRITE | EV_PERSIST, conn_on_writable, conn);
        if (conn->readable == NULL || conn->writable == NULL)
                return ERR_NOMEM;
        return event_add(conn->readable, NULL) == 0 ? OK : ERR_IO;
}

enum err conn_create(struct lane *lane, int fd)
{
        const struct client_limits *limits = &lane->services->limits;
        struct resp_limits frames = {.elements = limits->elements,
                .bulk = limits->bulk,
                .inline_line = limits->inline_line,
                .frame = limits->input - 2 * CONN_READ_ROOM};
        struct conn *conn = vc_calloc(1, sizeof(*conn));
        enum err rc;

        if (conn == NULL) {
                close(fd);
                return ERR_NOMEM;
        }
        conn->lane = lane;
        conn->fd = fd;
        rc = add_events(conn);
        if (rc != OK) {
                free_events(conn);
                close(fd);
                vc_free(conn);
                return rc;
        }
        buf_init(&conn->in, limits->input);
        buf_init(&conn->out, limits->output + limits->output_pause); /* a reply may come behind so much */
        resp_parser_init(&conn->parser, &frames);
        reply_queue_init(&conn->queue, &lane->slots, limits->output);
        session_init(&conn->session, atomic_fetch_add(&lane->services->next_client_id, 1) + 1);
        conn->opened = conn->active = clock_boot();
        list_init(&conn->dirty);
        list_init(&conn->subscriber);
        list_init(&conn->unsent);
        list_push_back(&lane->conns, &conn->link);
        lane->conn_count++;
        conn->own_memory = sizeof(*conn) + 2 * event_get_struct_event_size();
        conn_account(conn);
        return OK;
}
