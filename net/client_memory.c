/* Who holds most? Each lane knows its own connections only. So when the bound is passed a message goes from lane to
 * lane; each compares its largest connection with the largest so far, and the lane that has the largest of all closes
 * it, if it is still as large and the bound still passed. There is one such search at a time, its message is kept from
 * the start (there is no memory to spare when it is needed), and it begins anew until the rest is within the bound.
 *
 * A walk over a lane's connections takes a millisecond for ten thousand, and happens only when one has to go; to keep
 * them in the order of what they hold would cost something in every turn of every connection. While a search is under
 * way nothing is read: the bound is passed by what one turn of each lane adds, and by replies that were under way. */
#include "net/client_memory.h"

#include "base/log.h"
#include "base/mem.h"
#include "monitoring/counters.h"
#include "net/conn.h"
#include "net/lane.h"
#include "net/pubsub.h"
#include "net/services.h"

#include <stdatomic.h>

struct client_memory {
        uint64_t bound;
        uint32_t lanes;
        _Atomic uint64_t bytes;
        uint8_t apart[64];      /* what changes often is not in the cache line of the next one: */
        _Atomic bool searching; /* looked at by all lanes with each read(), and hardly ever changed */
        uint8_t apart_too[64];
        /* The search: whoever has the message may touch these. */
        struct lane_mail mail;
        uint32_t lanes_left;
        struct lane *lane_of_largest; /* NULL: no connection met yet */
        uint64_t id_of_largest;
        size_t most;
};

enum err client_memory_create(struct client_memory **out, uint64_t bound, uint32_t lanes)
{
        *out = vc_calloc(1, sizeof(**out));
        if (*out == NULL)
                return ERR_NOMEM;
        (*out)->bound = bound;
        (*out)->lanes = lanes;
        return OK;
}

void client_memory_destroy(struct client_memory **memory)
{
        vc_free(*memory);
        *memory = NULL;
}

uint64_t client_memory_bytes(const struct client_memory *memory)
{
        return atomic_load_explicit(&memory->bytes, memory_order_relaxed);
}

bool client_memory_is_short(const struct client_memory *memory)
{
        return atomic_load_explicit(&memory->searching, memory_order_relaxed);
}

static void visit(struct lane *lane, struct lane_mail *mail);

static void begin_search(struct client_memory *memory, struct lane *lane)
{
        if (atomic_exchange(&memory->searching, true))
                return;
        memory->mail.handle = visit;
        memory->lanes_left = memory->lanes;
        memory->lane_of_largest = NULL;
        memory->most = 0;
        lane_post(lane, &memory->mail);
}

static void end_search(struct client_memory *memory, struct lane *lane)
{
        bool found = memory->lane_of_largest != NULL;

        atomic_store(&memory->searching, false); /* from here on the search may be another's */
        if (!lane->stopping && found && client_memory_bytes(memory) > memory->bound)
                begin_search(memory, lane);
}

static struct conn *find(const struct lane *lane, uint64_t id)
{
        LIST_FOREACH (it, &lane->conns)
                if (conn_id(conn_of_link(it)) == id)
                        return conn_of_link(it);
        return NULL;
}

static void close_largest(struct lane *lane, struct lane_mail *mail)
{
        struct client_memory *memory = LIST_ENTRY(mail, struct client_memory, mail);
        struct conn *conn = find(lane, memory->id_of_largest);
        uint64_t bytes = client_memory_bytes(memory);

        if (conn != NULL && conn_held_memory(conn) >= memory->most && bytes > memory->bound) {
                LOG_WARNING("a client was closed: all together hold more than limits.client_memory, it held most",
                        LOG_UINT("client", conn_id(conn)), LOG_UINT("bytes", conn_held_memory(conn)),
                        LOG_UINT("all_clients_bytes", bytes), LOG_UINT("limit", memory->bound));
                counter_add(COUNTER_connections_evicted, 1);
                conn_close(conn);
        }
        end_search(memory, lane);
}

static void visit(struct lane *lane, struct lane_mail *mail)
{
        struct client_memory *memory = LIST_ENTRY(mail, struct client_memory, mail);
        struct lane *next = pubsub_next_lane(lane->services->pubsub, lane);

        LIST_FOREACH (it, &lane->conns) {
                const struct conn *conn = conn_of_link(it);

                if (conn_held_memory(conn) <= memory->most)
                        continue;
                memory->most = conn_held_memory(conn);
                memory->id_of_largest = conn_id(conn);
                memory->lane_of_largest = lane;
        }
        if (--memory->lanes_left == 0) {
                memory->mail.handle = close_largest;
                next = memory->lane_of_largest;
        }
        /* Lanes that stop are soon rid of all clients; and of their mailboxes, one after another. */
        if (next == NULL || lane->stopping)
                end_search(memory, lane);
        else
                lane_post(next, &memory->mail);
}

void client_memory_change(struct client_memory *memory, struct lane *lane, int64_t change)
{
        uint64_t bytes =
                atomic_fetch_add_explicit(&memory->bytes, (uint64_t)change, memory_order_relaxed) + (uint64_t)change;

        if (change > 0 && bytes > memory->bound && !lane->stopping)
                begin_search(memory, lane);
}
