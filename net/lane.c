#include "net/lane.h"

#include "base/log.h"
#include "cache/lookup.h"
#include "monitoring/counters.h"
#include "net/conn.h"
#include "net/read.h"
#include "net/reply_queue.h"
#include "net/services.h"

#include <event2/event.h>

#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        /* Larger blocks are freed when they are empty. A message of an import (cli/import_send.c) has room: a block
         * that grows for each costs page faults, copies and wiping, and reads wait for them. */
        SPARE_MAX = 512 * 1024,
        POOL_KEEP = 1024,
        IDLE_CHECK_SECONDS = 1
};

static void on_mail(struct mail *mail, void *context)
{
        struct lane_mail *m = LIST_ENTRY(mail, struct lane_mail, mail);

        m->handle(context, m);
}

static void on_service_dirty(evutil_socket_t fd, short what, void *arg)
{
        struct lane *lane = arg;
        struct nanos now = clock_boot();
        struct list batch;
        struct list *link;

        (void)fd;
        (void)what;
        list_init(&batch); /* what gets dirty meanwhile waits for the next round, so that others have their turn */
        list_splice_back(&batch, &lane->dirty);
        while ((link = list_pop_front(&batch)) != NULL)
                conn_service(conn_of_dirty(link), now);
}

void lane_close_idle(struct lane *lane, struct nanos now)
{
        struct nanos idle = lane->services->limits.idle;
        struct list *it = lane->conns.next;

        while (it != &lane->conns) {
                struct conn *conn = conn_of_link(it);

                it = it->next;
                if (nanos_before(now, nanos_add(conn_last_active(conn), idle)))
                        return; /* the list is in the order of activity */
                if (conn_is_subscribed(conn))
                        continue;
                counter_add(COUNTER_connections_timed_out, 1);
                conn_close(conn);
        }
}

static void on_idle_check(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        lane_close_idle(arg, clock_boot());
}

static enum err make_events(struct lane *lane)
{
        const struct timeval every = {.tv_sec = IDLE_CHECK_SECONDS};

        lane->service_dirty = event_new(lane->base, -1, 0, on_service_dirty, lane);
        lane->idle_check = event_new(lane->base, -1, EV_PERSIST, on_idle_check, lane);
        if (lane->service_dirty == NULL || lane->idle_check == NULL)
                return ERR_NOMEM;
        if (lane->services->limits.idle.ns > 0 && event_add(lane->idle_check, &every) != 0)
                return ERR_NOMEM;
        return OK;
}

enum err lane_init(struct lane *lane, struct services *services, struct event_base *base, uint32_t index)
{
        enum err rc;

        *lane = (struct lane){.services = services, .base = base, .index = index};
        pool_init(&lane->slots, sizeof(struct reply_slot), POOL_KEEP);
        pool_init(&lane->reads, sizeof(struct read), POOL_KEEP);
        pool_init(&lane->read_lists, sizeof(struct read_list), POOL_KEEP);
        buf_init(&lane->spare_in, 0);
        buf_init(&lane->spare_out, 0);
        list_init(&lane->conns);
        list_init(&lane->dirty);
        list_init(&lane->subscribers);
        rc = make_events(lane);
        if (rc == OK)
                rc = mailbox_create(&lane->mailbox, base, on_mail, lane);
        if (rc == OK)
                rc = reader_create(&lane->reader, services->tiers, base);
        if (rc != OK)
                lane_deinit(lane);
        return rc;
}

void lane_deinit(struct lane *lane)
{
        VC_ASSERT(lane->conn_count == 0);
        reader_destroy(&lane->reader);
        mailbox_destroy(&lane->mailbox);
        if (lane->service_dirty != NULL)
                event_free(lane->service_dirty);
        if (lane->idle_check != NULL)
                event_free(lane->idle_check);
        lane->service_dirty = NULL;
        lane->idle_check = NULL;
        buf_deinit(&lane->spare_in);
        buf_deinit(&lane->spare_out);
        pool_deinit(&lane->slots);
        pool_deinit(&lane->reads);
        pool_deinit(&lane->read_lists);
}

void lane_post(struct lane *lane, struct lane_mail *mail)
{
        mailbox_post(lane->mailbox, &mail->mail);
}

/* The one reply that a client gets which is never served; it may be cut, the socket being non-blocking. */
static void turn_away(int fd)
{
        static const char full[] = "-LIMIT max number of clients reached (server.max_clients)\r\n";

        counter_add(COUNTER_connections_refused, 1);
        if (send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL) < 0)
                LOG_DEBUG("a client that is one too many left before it was told");
        close(fd);
}

void lane_accept(struct lane *lane, int fd)
{
        struct services *services = lane->services;

        if (lane->stopping) {
                close(fd);
                return;
        }
        if (atomic_fetch_add(&services->clients, 1) >= services->limits.clients) {
                atomic_fetch_sub(&services->clients, 1);
                turn_away(fd);
                return;
        }
        counter_add(COUNTER_connections_accepted, 1);
        if (conn_create(lane, fd) != OK) {
                atomic_fetch_sub(&services->clients, 1);
                counter_add(COUNTER_connections_closed, 1);
                LOG_WARNING("no memory for a client connection");
        }
}

void lane_mark_dirty(struct lane *lane, struct list *dirty_link)
{
        if (!list_empty(dirty_link))
                return; /* it is in the list already */
        if (list_empty(&lane->dirty))
                event_active(lane->service_dirty, 0, 0);
        list_push_back(&lane->dirty, dirty_link);
}

static void tell_when_empty(struct lane *lane)
{
        if (lane->stopping && lane->conn_count == 0 && lane->emptied != NULL)
                lane->emptied(lane->emptied_context);
}

static void on_patience_over(evutil_socket_t fd, short what, void *arg)
{
        struct lane *lane = arg;

        (void)fd;
        (void)what;
        while (!list_empty(&lane->conns))
                conn_close(conn_of_link(lane->conns.next));
}

void lane_stop(struct lane *lane, struct nanos patience)
{
        const struct timeval wait = {.tv_sec = patience.ns / NANOS_PER_S, .tv_usec = patience.ns % NANOS_PER_S / 1000};
        struct list *it = lane->conns.next;

        VC_ASSERT(!lane->stopping);
        lane->stopping = true;
        lane->conn_count++; /* a guard: `emptied` is told once, after the walk over the connections */
        if (event_base_once(lane->base, -1, EV_TIMEOUT, on_patience_over, lane, &wait) != 0)
                on_patience_over(-1, 0, lane);
        while (it != &lane->conns) {
                struct conn *conn = conn_of_link(it);

                it = it->next;
                conn_begin_stop(conn);
        }
        lane_conn_gone(lane);
}

void lane_conn_gone(struct lane *lane)
{
        lane->conn_count--;
        tell_when_empty(lane);
}

/* The buffer's own limit stays; only the block moves. */
static void move_block(struct buf *to, struct buf *from)
{
        to->data = from->data;
        to->cap = from->cap;
        to->start = to->end = 0;
        buf_init(from, from->limit);
}

void lane_lend(struct buf *to, struct buf *spare)
{
        if (to->data == NULL && spare->data != NULL)
                move_block(to, spare);
}

void lane_take_back(struct buf *from, struct buf *spare)
{
        if (from->data == NULL || buf_len(from) > 0)
                return;
        if (spare->data == NULL && from->cap <= SPARE_MAX)
                move_block(spare, from);
        else
                buf_deinit(from);
}
