#include "net/reply_queue.h"

void reply_queue_init(struct reply_queue *queue, struct pool *pool, uint64_t limit)
{
        *queue = (struct reply_queue){.pool = pool, .limit = limit};
        list_init(&queue->slots);
}

/* Counts the memory of a slot's reply as it is now. */
static void count_memory(struct reply_queue *queue, struct reply_slot *slot)
{
        queue->memory += slot->reply.cap - slot->counted;
        slot->counted = slot->reply.cap;
}

static void remove_first(struct reply_queue *queue, struct reply_slot *slot)
{
        list_remove(&slot->link);
        queue->count--;
        queue->bytes -= buf_len(&slot->reply);
        queue->memory -= sizeof(*slot) + slot->counted;
        reply_queue_give(queue, slot);
}

void reply_queue_deinit(struct reply_queue *queue)
{
        VC_ASSERT(queue->waiting == 0);
        while (!list_empty(&queue->slots))
                remove_first(queue, LIST_ENTRY(queue->slots.next, struct reply_slot, link));
}

struct reply_slot *reply_queue_take(struct reply_queue *queue)
{
        struct reply_slot *slot = pool_take(queue->pool);

        if (slot == NULL)
                return NULL;
        list_init(&slot->link);
        buf_init(&slot->reply, queue->limit);
        slot->holds = 0;
        slot->counted = 0;
        slot->done = false;
        return slot;
}

void reply_queue_give(struct reply_queue *queue, struct reply_slot *slot)
{
        if (slot == NULL)
                return;
        buf_deinit(&slot->reply);
        pool_give(queue->pool, slot);
}

void reply_queue_push(struct reply_queue *queue, struct reply_slot *slot, bool done)
{
        list_push_back(&queue->slots, &slot->link);
        queue->count++;
        queue->waiting++;
        queue->memory += sizeof(*slot);
        count_memory(queue, slot);
        if (done)
                reply_queue_finish(queue, slot);
}

void reply_queue_push_write(struct reply_queue *queue, struct reply_slot *slot, size_t bytes)
{
        VC_ASSERT(bytes > 0);
        slot->holds = bytes;
        queue->held += bytes;
        queue->writes++;
        reply_queue_push(queue, slot, false);
}

void reply_queue_finish(struct reply_queue *queue, struct reply_slot *slot)
{
        VC_ASSERT(!slot->done && queue->waiting > 0);
        slot->done = true;
        queue->waiting--;
        queue->writes -= slot->holds > 0;
        queue->held -= slot->holds;
        queue->bytes += buf_len(&slot->reply);
        count_memory(queue, slot);
}

bool reply_queue_is_ready(const struct reply_queue *queue)
{
        return !list_empty(&queue->slots) && LIST_ENTRY(queue->slots.next, struct reply_slot, link)->done;
}

enum err reply_queue_drain(struct reply_queue *queue, struct buf *out, size_t enough)
{
        while (reply_queue_is_ready(queue) && buf_len(out) < enough) {
                struct reply_slot *slot = LIST_ENTRY(queue->slots.next, struct reply_slot, link);
                enum err rc = ERR_NOMEM;

                if (slot->reply.data != NULL && buf_len(&slot->reply) > 0)
                        rc = buf_append_slice(out, buf_slice(&slot->reply));
                if (rc != OK)
                        return rc;
                remove_first(queue, slot);
        }
        return OK;
}
