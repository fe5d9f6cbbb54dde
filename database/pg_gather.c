#include "database/pg_gather.h"

#include "base/assert.h"

static const struct source_read *oldest(const struct pg_gather *gather)
{
        return LIST_ENTRY(gather->waiting.next, struct source_read, link);
}

static struct source_read *pop(struct pg_gather *gather)
{
        gather->waiting_count--;
        return LIST_ENTRY(list_pop_front(&gather->waiting), struct source_read, link);
}

static struct nanos patient_until(const struct pg_gather *gather)
{
        return nanos_add(oldest(gather)->asked, gather->config.patience);
}

static struct nanos waits_until(const struct pg_gather *gather)
{
        return nanos_add(oldest(gather)->asked, gather->config.most_wait);
}

void pg_gather_init(struct pg_gather *gather, const struct pg_gather_config *config)
{
        VC_ASSERT(config->reads_max > 0);
        *gather = (struct pg_gather){.config = *config};
        list_init(&gather->waiting);
}

void pg_gather_close(struct pg_gather *gather)
{
        gather->closed = true;
        while (!list_empty(&gather->waiting))
                gather->config.fail(gather->config.context, pop(gather), ERR_UNAVAILABLE);
}

void pg_gather_add(struct pg_gather *gather, struct source_read *read)
{
        if (gather->closed) {
                gather->config.fail(gather->config.context, read, ERR_UNAVAILABLE);
                return;
        }
        list_push_back(&gather->waiting, &read->link);
        gather->waiting_count++;
}

static bool has_room(const struct pg_gather *gather)
{
        return gather->out < gather->config.room(gather->config.context);
}

static bool may_send(const struct pg_gather *gather, struct nanos now)
{
        if (gather->closed || list_empty(&gather->waiting) || !has_room(gather))
                return false;
        return gather->out == 0 || gather->waiting_count >= gather->config.reads_max ||
               !nanos_before(now, patient_until(gather));
}

static void send_one(struct pg_gather *gather)
{
        struct list reads;

        list_init(&reads);
        for (uint32_t i = 0; i < gather->config.reads_max && !list_empty(&gather->waiting); i++)
                list_push_back(&reads, &pop(gather)->link);
        gather->out++; /* before: what start() answers may add more */
        if (!gather->config.start(gather->config.context, &reads))
                gather->out--;
}

void pg_gather_send(struct pg_gather *gather, struct nanos now)
{
        while (may_send(gather, now))
                send_one(gather);
}

void pg_gather_returned(struct pg_gather *gather, struct nanos now)
{
        VC_ASSERT(gather->out > 0);
        gather->out--;
        if (!gather->closed && !list_empty(&gather->waiting) && has_room(gather))
                send_one(gather);
        pg_gather_send(gather, now);
}

void pg_gather_tick(struct pg_gather *gather, struct nanos now)
{
        while (!list_empty(&gather->waiting) && !nanos_before(now, waits_until(gather)))
                gather->config.fail(gather->config.context, pop(gather), ERR_BUSY);
        pg_gather_send(gather, now);
}

struct nanos pg_gather_due(const struct pg_gather *gather)
{
        if (list_empty(&gather->waiting))
                return NANOS_NEVER;
        return has_room(gather) ? patient_until(gather) : waits_until(gather);
}
