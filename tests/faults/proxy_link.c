/* Bytes wait in a queue for each direction, with the moment at which they are due; the end of a stream waits there like
 * bytes do. A cut holds the queue, as a network does that loses packets while both ends go on sending them again: when
 * the cut is healed, what was said long ago arrives, all of it and in order. */
#include "tests/faults/proxy_link.h"

#include "base/clock.h"
#include "base/mem.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct chunk {
        struct list list;
        struct nanos due;
        struct evbuffer *bytes; /* NULL: the end of the stream */
};

struct link {
        struct list list;
        struct proxy *proxy;
        struct bufferevent *ends[2]; /* [LINK_UP]: the server, where what goes up is written */
        struct list queue[2];
        struct event *timers[2];
        bool answer_lost;
        bool finishing; /* breaks as soon as what is written has gone */
};

bool link_address_parse(const char *text, union link_address *out, socklen_t *len)
{
        char host[64];
        int port;

        memset(out, 0, sizeof *out);
        if (text[0] == '/' && strlen(text) < sizeof out->local.sun_path) {
                out->local.sun_family = AF_UNIX;
                memcpy(out->local.sun_path, text, strlen(text));
                *len = sizeof out->local;
                return true;
        }
        if (sscanf(text, "%63[^:]:%d", host, &port) != 2 || port < 0 || port > 65535)
                return false;
        out->inet.sin_family = AF_INET;
        out->inet.sin_port = htons((uint16_t)port);
        *len = sizeof out->inet;
        return inet_pton(AF_INET, host, &out->inet.sin_addr) == 1;
}

/* ---- the end ---- */

static void chunk_free(struct chunk *chunk)
{
        list_remove(&chunk->list);
        if (chunk->bytes != NULL)
                evbuffer_free(chunk->bytes);
        vc_free(chunk);
}

static void link_free(struct link *link)
{
        list_remove(&link->list);
        link->proxy->link_count--;
        for (int way = 0; way < 2; way++) {
                while (!list_empty(&link->queue[way]))
                        chunk_free(LIST_ENTRY(link->queue[way].next, struct chunk, list));
                if (link->timers[way] != NULL)
                        event_free(link->timers[way]);
                if (link->ends[way] != NULL)
                        bufferevent_free(link->ends[way]);
        }
        vc_free(link);
}

static void link_break(struct link *link)
{
        link->proxy->faults_made++;
        link_free(link);
}

void proxy_reset(struct proxy *p)
{
        while (p->links.next != NULL && !list_empty(&p->links))
                link_break(LIST_ENTRY(p->links.next, struct link, list));
}

/* Breaks when all that was written towards `way` has gone. */
static void link_finish(struct link *link, enum link_way way)
{
        link->finishing = true;
        if (evbuffer_get_length(bufferevent_get_output(link->ends[way])) == 0)
                link_free(link);
        else
                bufferevent_disable(link->ends[way], EV_READ);
}

/* ---- what passes ---- */

/* Hands over what is due. The link may be gone afterwards. */
static void pump(struct link *link, enum link_way way)
{
        while (!link->finishing && !list_empty(&link->queue[way]) && !link->proxy->faults.cut[way]) {
                struct chunk *chunk = LIST_ENTRY(link->queue[way].next, struct chunk, list);
                struct nanos left = nanos_sub(chunk->due, clock_boot());

                if (left.ns > 0) {
                        struct timeval wait = {left.ns / NANOS_PER_S, left.ns % NANOS_PER_S / 1000 + 1};

                        (void)event_add(link->timers[way], &wait);
                        return;
                }
                if (chunk->bytes == NULL) {
                        link_finish(link, way);
                        return;
                }
                link->proxy->bytes[way] += evbuffer_get_length(chunk->bytes);
                (void)bufferevent_write_buffer(link->ends[way], chunk->bytes);
                chunk_free(chunk);
        }
}

void proxy_pump(struct proxy *p)
{
        struct list all;

        if (p->links.next == NULL)
                return;
        list_init(&all);
        list_splice_back(&all, &p->links);
        while (!list_empty(&all)) {
                struct link *link = LIST_ENTRY(all.next, struct link, list);

                list_remove(&link->list);
                list_push_back(&p->links, &link->list);
                (void)event_add(link->timers[LINK_UP], &(struct timeval){0, 0});
                (void)event_add(link->timers[LINK_DOWN], &(struct timeval){0, 0});
        }
}

static void on_up_due(evutil_socket_t fd, short what, void *context)
{
        (void)fd;
        (void)what;
        pump(context, LINK_UP);
}

static void on_down_due(evutil_socket_t fd, short what, void *context)
{
        (void)fd;
        (void)what;
        pump(context, LINK_DOWN);
}

/* Puts `count` bytes into the queue; no `bytes`: the end of the stream. */
static void enqueue(struct link *link, enum link_way way, struct evbuffer *bytes, size_t count)
{
        struct chunk *chunk = vc_calloc(1, sizeof *chunk);

        if (chunk == NULL)
                abort();
        chunk->due = nanos_add(clock_boot(), nanos_ms(link->proxy->faults.delay_ms[way]));
        if (bytes != NULL) {
                chunk->bytes = evbuffer_new();
                if (chunk->bytes == NULL || evbuffer_remove_buffer(bytes, chunk->bytes, count) != (int)count)
                        abort();
        }
        list_push_back(&link->queue[way], &chunk->list);
}

/* How many of `count` bytes still pass; fewer than all: the connection breaks after them. */
static size_t passing(struct proxy *p, enum link_way way, size_t count)
{
        size_t left;

        if (p->faults.reset_after < 0 || p->faults.reset_way != way)
                return count;
        left = (size_t)p->faults.reset_after;
        if (count <= left) {
                p->faults.reset_after -= (long)count;
                return count;
        }
        p->faults.reset_after = -1;
        p->faults_made++;
        return left;
}

static bool has_commit(struct evbuffer *bytes)
{
        return evbuffer_search(bytes, "COMMIT", 6, NULL).pos >= 0;
}

static void carry(struct link *link, enum link_way way, struct bufferevent *from)
{
        struct evbuffer *bytes = bufferevent_get_input(from);
        struct proxy *p = link->proxy;
        size_t count = evbuffer_get_length(bytes);
        size_t passed;

        if (way == LINK_UP && p->faults.at_commit != COMMIT_PASSES && has_commit(bytes)) {
                if (p->faults.at_commit == COMMIT_EATEN) {
                        link_break(link);
                        return;
                }
                link->answer_lost = true;
        }
        if (way == LINK_DOWN && link->answer_lost) {
                link_break(link);
                return;
        }
        passed = passing(p, way, count);
        enqueue(link, way, bytes, passed);
        if (passed < count)
                enqueue(link, way, NULL, 0);
        pump(link, way);
}

static void on_client_bytes(struct bufferevent *client, void *context)
{
        carry(context, LINK_UP, client);
}

static void on_server_bytes(struct bufferevent *server, void *context)
{
        carry(context, LINK_DOWN, server);
}

static void on_written(struct bufferevent *end, void *context)
{
        struct link *link = context;

        (void)end;
        if (link->finishing)
                link_free(link);
}

static void on_event(struct bufferevent *end, short what, void *context)
{
        struct link *link = context;
        enum link_way way = end == link->ends[LINK_UP] ? LINK_DOWN : LINK_UP;

        if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
                return;
        if (link->finishing) {
                link_free(link);
                return;
        }
        bufferevent_disable(end, EV_READ | EV_WRITE);
        enqueue(link, way, NULL, 0);
        pump(link, way);
}

/* ---- the beginning ---- */

static bool link_open(struct link *link, int fd)
{
        struct proxy *p = link->proxy;

        link->timers[LINK_UP] = event_new(p->base, -1, 0, on_up_due, link);
        link->timers[LINK_DOWN] = event_new(p->base, -1, 0, on_down_due, link);
        link->ends[LINK_DOWN] = bufferevent_socket_new(p->base, fd, BEV_OPT_CLOSE_ON_FREE);
        link->ends[LINK_UP] = bufferevent_socket_new(p->base, -1, BEV_OPT_CLOSE_ON_FREE);
        if (link->timers[0] == NULL || link->timers[1] == NULL || link->ends[0] == NULL || link->ends[1] == NULL)
                return false;
        bufferevent_setcb(link->ends[LINK_DOWN], on_client_bytes, on_written, on_event, link);
        bufferevent_setcb(link->ends[LINK_UP], on_server_bytes, on_written, on_event, link);
        return bufferevent_socket_connect(link->ends[LINK_UP], &p->upstream.any, (int)p->upstream_len) == 0 &&
               bufferevent_enable(link->ends[LINK_UP], EV_READ | EV_WRITE) == 0 &&
               bufferevent_enable(link->ends[LINK_DOWN], EV_READ | EV_WRITE) == 0;
}

void proxy_accept(struct proxy *p, int fd)
{
        struct link *link;

        if (p->links.next == NULL)
                list_init(&p->links);
        link = p->refusing ? NULL : vc_calloc(1, sizeof *link);
        if (link == NULL) {
                p->faults_made++;
                (void)close(fd);
                return;
        }
        link->proxy = p;
        list_init(&link->queue[LINK_UP]);
        list_init(&link->queue[LINK_DOWN]);
        list_push_back(&p->links, &link->list);
        p->link_count++;
        if (!link_open(link, fd))
                link_break(link);
}
