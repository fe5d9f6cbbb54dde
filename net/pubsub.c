#include "net/pubsub.h"

#include "base/log.h"
#include "base/mem.h"
#include "monitoring/counters.h"
#include "net/conn.h"
#include "net/lane.h"

#include <stdatomic.h>

struct pubsub_lane {
        struct lane *lane;
        _Atomic uint32_t subscribers;
};

struct pubsub {
        uint32_t count;
        struct pubsub_lane lanes[];
};

/* One lane's copy of a message. */
struct message {
        struct lane_mail mail;
        size_t len;
        uint8_t payload[];
};

enum err pubsub_create(struct pubsub **out, uint32_t lanes)
{
        *out = vc_calloc(1, sizeof(**out) + lanes * sizeof((*out)->lanes[0]));
        if (*out == NULL)
                return ERR_NOMEM;
        (*out)->count = lanes;
        return OK;
}

void pubsub_destroy(struct pubsub **pubsub)
{
        vc_free(*pubsub);
        *pubsub = NULL;
}

void pubsub_attach(struct pubsub *pubsub, struct lane *lane)
{
        VC_ASSERT(lane->index < pubsub->count);
        pubsub->lanes[lane->index].lane = lane;
}

void pubsub_count(struct pubsub *pubsub, const struct lane *lane, int change)
{
        atomic_fetch_add(&pubsub->lanes[lane->index].subscribers, (uint32_t)change);
}

struct lane *pubsub_next_lane(const struct pubsub *pubsub, const struct lane *lane)
{
        return pubsub->lanes[(lane->index + 1) % pubsub->count].lane;
}

uint32_t pubsub_subscribers(const struct pubsub *pubsub)
{
        uint32_t sum = 0;

        for (uint32_t i = 0; i < pubsub->count; i++)
                sum += atomic_load(&pubsub->lanes[i].subscribers);
        return sum;
}

static void deliver(struct lane *lane, struct lane_mail *mail)
{
        struct message *m = LIST_ENTRY(mail, struct message, mail);
        struct list *it = lane->subscribers.next;

        while (it != &lane->subscribers) {
                struct conn *conn = conn_of_subscriber(it);

                it = it->next; /* a subscriber that cannot keep up leaves the list */
                counter_add(COUNTER_messages_published, 1);
                conn_send_message(conn, slice_str(PUBSUB_CHANNEL), slice_of(m->payload, m->len));
        }
        vc_free(m);
}

uint32_t pubsub_publish(struct pubsub *pubsub, struct slice payload)
{
        uint32_t receivers = 0;

        for (uint32_t i = 0; i < pubsub->count; i++) {
                uint32_t here = atomic_load(&pubsub->lanes[i].subscribers);
                struct message *m;

                if (here == 0)
                        continue;
                m = vc_malloc(sizeof(*m) + payload.len);
                if (m == NULL) {
                        LOG_WARNING("no memory for an invalidation message", LOG_UINT("subscribers", here));
                        continue;
                }
                m->mail.handle = deliver;
                m->len = payload.len;
                memcpy(m->payload, payload.data, payload.len);
                lane_post(pubsub->lanes[i].lane, &m->mail);
                receivers += here;
        }
        return receivers;
}
