/* A node's publisher: polls and hints. */
#include "tests/sim/node.h"

static void send_poll(struct node *n)
{
        struct poll *poll = &n->poll;
        const struct snapshot *since = freshness_last_poll(n->freshness, freshness_epoch(n->freshness));

        if (MUTANT(FAILED_POLL_COUNTS) && poll->has_failed)
                since = &poll->failed;
        poll->number = freshness_poll_begin(n->freshness);
        poll->sent.ns = n->side->world->now;
        poll->has_since = since != NULL;
        if (since != NULL)
                poll->since = *since;
        poll->has_failed = false;
        poll->state = POLL_SENT;
        world_trace(n->side->world, "%s: poll %llu is sent", n->name, (unsigned long long)poll->number.n);
}

/* Tag hashes are the cells' numbers. */
static size_t tags_of(unsigned cells, uint64_t *tags)
{
        size_t count = 0;

        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (cells & 1u << cell)
                        tags[count++] = cell;
        }
        return count;
}

static void deliver_poll(struct node *n)
{
        struct poll *poll = &n->poll;
        const unsigned changed = MUTANT(CHANGE_IGNORED) ? 0 : poll->reply.changed;
        uint64_t touched[CELLS];
        uint64_t withheld[CELLS];
        struct freshness_poll end = {
                .number = poll->number,
                .epoch = poll->reply.epoch,
                .sent = poll->sent,
                .snapshot = poll->reply.snapshot,
                .touched = touched,
                .touched_count = tags_of(poll->reply.touched, touched),
                .withheld = withheld,
                .withheld_count = tags_of(poll->reply.off | changed, withheld),
                .gap = poll->reply.gap,
                .heartbeats = n->side->setup.synchronous,
        };

        poll->resign = (changed & ~poll->reply.off) != 0;
        if (MUTANT(CERTIFICATE_AT_REPLY))
                end.sent.ns = n->side->world->now;
        world_trace(n->side->world, "%s: poll %llu arrives, touched cells %x, epoch %llu", n->name,
                (unsigned long long)poll->number.n, poll->reply.touched, (unsigned long long)poll->reply.epoch);
        poll->state = POLL_NONE;
        n->publishing = true;
        freshness_poll_end(n->freshness, &end);
        n->publishing = false;
}

/* A deposed primary answers all but the commit: the synchronous replica does not follow it any more. */
static void ask_old_primary(struct node *n)
{
        const struct primary_read *old = &n->side->primary.old;

        world_trace(n->side->world, "%s: the old primary is polled", n->name);
        n->poll.reply = (struct primary_poll){.epoch = old->epoch, .snapshot = old->snapshot};
        n->poll.state = POLL_EXECUTED;
        if (!MUTANT(BEAT_FAILURE_COUNTS))
                node_lose_poll(n);
}

static void execute_poll(struct node *n)
{
        struct poll *poll = &n->poll;

        if (poll->at_old) {
                ask_old_primary(n);
                return;
        }
        primary_poll(&n->side->primary, poll->has_since ? &poll->since : NULL, &poll->reply);
        poll->state = POLL_EXECUTED;
        world_trace(n->side->world, "%s: poll %llu reads the primary", n->name, (unsigned long long)poll->number.n);
}

void node_poll(struct node *n)
{
        struct poll *poll = &n->poll;

        switch (poll->state) {
        case POLL_NONE:
                if (poll->resign && world_chance(n->side->world, 50))
                        primary_resign(&n->side->primary);
                send_poll(n);
                break;
        case POLL_SENT: execute_poll(n); break;
        case POLL_EXECUTED:
                if (poll->reply.epoch != EPOCH_NONE)
                        deliver_poll(n);
                else
                        node_lose_poll(n);
                break;
        }
}

void node_lose_poll(struct node *n)
{
        struct poll *poll = &n->poll;

        if (poll->state == POLL_NONE)
                return;
        world_trace(n->side->world, "%s: the poll is given up", n->name);
        if (poll->state == POLL_EXECUTED) {
                poll->has_failed = true;
                poll->failed = poll->reply.snapshot;
        }
        poll->at_old = poll->at_old && world_chance(n->side->world, 50); /* the connection is opened anew */
        poll->state = POLL_NONE;
}

void node_clean(struct node *n)
{
        const struct snapshot *last = freshness_last_poll(n->freshness, freshness_epoch(n->freshness));

        if (last != NULL && freshness_epoch(n->freshness) == n->side->primary.epoch)
                primary_clean(&n->side->primary, last);
}

void node_hint(struct node *n, unsigned cells, int64_t committed)
{
        uint64_t tags[CELLS];
        const size_t count = tags_of(cells, tags);

        world_trace(n->side->world, "%s: a hint of cells %x arrives", n->name, cells);
        n->publishing = true;
        freshness_hint(n->freshness, tags, count);
        n->publishing = false;
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if ((cells & 1u << cell) && committed > n->hinted[cell])
                        n->hinted[cell] = committed;
        }
}
