#include "net/lane.h"

#include "base/hot.h"
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
        CHECK_SECONDS = 1 /* between looks at who is idle, and whose output is stuck */
};

static void on_mail(struct mail *mail, void *context)
{
        struct lane_mail *m = LIST_ENTRY(mail, struct lane_mail, mail);

        m->handle(context, m);
}

/* What joins the list meanwhile waits for the next round. */
static void service_all(struct list *list)
{
        struct nanos now = clock_boot();
        struct list batch;
        struct list *link;

        list_init(&batch);
        list_splice_back(&batch, list);
        while ((link = list_pop_front(&batch)) != NULL)
                conn_service(conn_of_dirty(link), now);
}

static void on_service_dirty(evutil_socket_t fd, short what, void *arg)
{
        struct lane *lane = arg;

        (void)fd;
        (void)what;
        service_all(&lane->dirty);
}

static void on_service_later(evutil_socket_t fd, short what, void *arg)
{
        struct lane *lane = arg;

        (void)fd;
        (void)what;
        service_all(&lane->later);
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

void lane_check_output(struct lane *lane, struct nanos now)
{
        struct list *it = lane->unsent.next;

        while (it != &lane->unsent) {
                struct conn *conn = conn_of_unsent(it);

                it = it->next;
                conn_check_output(conn, now);
        }
}

static const struct timeval check_time = {.tv_sec = CHECK_SECONDS};

static void on_output_check(evutil_socket_t fd, short what, void *arg)
{
        struct lane *lane = arg;

        (void)fd;
        (void)what;
        lane_check_output(lane, clock_boot());
        if (!list_empty(&lane->unsent))
                (void)event_add(lane->output_check, &check_time);
}

void lane_watch_output(struct lane *lane, struct list *unsent_link)
{
        if (list_empty(&lane->unsent))
                (void)event_add(lane->output_check, &check_time);
        list_push_back(&lane->unsent, unsent_link);
}

static enum err make_events(struct lane *lane)
{
        lane->service_dirty = event_new(lane->base, -1, 0, on_service_dirty, lane);
        lane->service_later = event_new(lane->base, -1, 0, on_service_later, lane);
        lane->output_check = event_new(lane->base, -1, 0, on_output_check, lane);
        lane->idle_check = event_new(lane->base, -1, EV_PERSIST, on_idle_check, lane);
        if (lane->service_dirty == NULL || lane->service_later == NULL || lane->output_check == NULL ||
                lane->idle_check == NULL)
                return ERR_NOMEM;
        if (lane->services->limits.idle.ns > 0 && event_add(lane->idle_check, &check_time) != 0)
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
        list_init(&lane->later);
        list_init(&lane->unsent);
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

static void free_event(struct event **event)
{
        if (*event != NULL)
                event_free(*event);
        *event = NULL;
}

void lane_deinit(struct lane *lane)
{
        VC_ASSERT(lane->conn_count == 0);
        reader_destroy(&lane->reader);
        mailbox_destroy(&lane->mailbox);
        free_event(&lane->service_dirty);
        free_event(&lane->service_later);
        free_event(&lane->output_check);
        free_event(&lane->idle_check);
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

/* A timer that is due at once: the loop asks the kernel what is ready, serves that, and then those. An activated event
 * would come before it asks, again and again, and all other clients would wait for one that sends without end. */
COLD_PATH void lane_mark_later(struct lane *lane, struct list *dirty_link)
{
        const struct timeval at_once = {0};

        if (!list_empty(dirty_link))
                return;
        if (list_empty(&lane->later) && event_add(lane->service_later, &at_once) != 0) {
                lane_mark_dirty(lane, dirty_link);
                return;
        }
        list_push_back(&lane->later, dirty_link);
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

/* Between empty buffers. Their own limits stay; only the block moves. */
static void move_block(struct buf *to, struct buf *from)
{
        to->data = from->data;
        to->cap = from->cap;
        from->data = NULL;
        from->start = from->end = from->cap = 0;
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
