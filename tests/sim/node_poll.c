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

static void deliver_poll(struct node *n)
{
        struct poll *poll = &n->poll;
        uint64_t touched[CELLS];
        struct freshness_poll end = {
                .number = poll->number,
                .epoch = poll->reply.epoch,
                .sent = poll->sent,
                .snapshot = poll->reply.snapshot,
                .touched = touched,
        };

        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (poll->reply.touched & 1u << cell)
                        touched[end.touched_count++] = cell;
        }
        if (MUTANT(CERTIFICATE_AT_REPLY))
                end.sent.ns = n->side->world->now;
        world_trace(n->side->world, "%s: poll %llu arrives, touched cells %x, epoch %llu", n->name,
                (unsigned long long)poll->number.n, poll->reply.touched, (unsigned long long)poll->reply.epoch);
        poll->state = POLL_NONE;
        n->publishing = true;
        freshness_poll_end(n->freshness, &end);
        n->publishing = false;
}

void node_poll(struct node *n)
{
        struct poll *poll = &n->poll;

        switch (poll->state) {
        case POLL_NONE: send_poll(n); break;
        case POLL_SENT:
                primary_poll(&n->side->primary, poll->has_since ? &poll->since : NULL, &poll->reply);
                poll->state = POLL_EXECUTED;
                world_trace(
                        n->side->world, "%s: poll %llu reads the primary", n->name, (unsigned long long)poll->number.n);
                break;
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
        poll->state = POLL_NONE;
}

void node_hint(struct node *n, unsigned cells, int64_t committed)
{
        uint64_t tags[CELLS];
        size_t count = 0;

        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (cells & 1u << cell)
                        tags[count++] = cell;
        }
        world_trace(n->side->world, "%s: a hint of cells %x arrives", n->name, cells);
        n->publishing = true;
        freshness_hint(n->freshness, tags, count);
        n->publishing = false;
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if ((cells & 1u << cell) && committed > n->hinted[cell])
                        n->hinted[cell] = committed;
        }
}
