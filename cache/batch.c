/* Problem: N clients that miss N keys at once should cost the database one round trip, not N; yet a lone miss must not
 * wait for company.
 *
 * Idea: the first read of a tick activates an event of our own. libevent appends it to the events that are active
 * already, so it runs when all sockets that were readable in this tick have been handled, and before the loop polls
 * again: everything that those sockets asked for is in the list by then, and nothing has waited for a timer.
 *
 * Why not a timer of a millisecond: it would put its length on every miss, and gather no more under load than a tick
 * does. Cost: one event activation per tick that has misses. */
#include "cache/batch.h"

#include "base/mem.h"
#include "monitoring/counters.h"

#include <event2/event.h>

struct batch {
        struct batch_config config;
        struct event *send;
        struct list waiting;
};

/* Moves up to BATCH_MAX reads of those waiting to *out. */
static void take(struct batch *batch, struct list *out)
{
        list_init(out);
        for (int i = 0; i < BATCH_MAX && !list_empty(&batch->waiting); i++)
                list_push_back(out, list_pop_front(&batch->waiting));
}

static void send_some(struct batch *batch)
{
        struct nanos now = batch->config.clock();
        struct list reads;

        take(batch, &reads);
        counter_add(COUNTER_database_batches, 1);
        LIST_FOREACH (it, &reads) {
                struct source_read *read = LIST_ENTRY(it, struct source_read, link);

                counter_add(COUNTER_database_reads, 1);
                type_counter_add(read->type->index, TYPE_COUNTER_database_reads, 1);
                batch->config.sending(batch->config.context, read, now);
        }
        source_fetch_many(batch->config.port, &reads);
        VC_ASSERT(list_empty(&reads)); /* the source has taken them all */
}

/* What answers add meanwhile goes out as well, in a batch of its own. */
static void on_send(evutil_socket_t fd, short what, void *arg)
{
        struct batch *batch = arg;

        (void)fd;
        (void)what;
        while (!list_empty(&batch->waiting))
                send_some(batch);
}

enum err batch_create(struct batch **out, const struct batch_config *config)
{
        struct batch *batch = vc_calloc(1, sizeof(*batch));

        *out = NULL;
        if (batch == NULL)
                return ERR_NOMEM;
        batch->config = *config;
        list_init(&batch->waiting);
        batch->send = event_new(config->base, -1, 0, on_send, batch);
        if (batch->send == NULL) {
                vc_free(batch);
                return ERR_NOMEM;
        }
        *out = batch;
        return OK;
}

void batch_destroy(struct batch **out)
{
        struct batch *batch = *out;

        *out = NULL;
        if (batch == NULL)
                return;
        VC_ASSERT(list_empty(&batch->waiting));
        event_free(batch->send);
        vc_free(batch);
}

void batch_add(struct batch *batch, struct source_read *read)
{
        if (list_empty(&batch->waiting))
                event_active(batch->send, 0, 0);
        list_push_back(&batch->waiting, &read->link);
}
