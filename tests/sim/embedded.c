#include "tests/sim/embedded.h"

void embedded_begin(struct embedded *e, struct world *world)
{
        e->world = world;
        e->epochs = 0;
        e->txn = 1;
        e->data = world->initial;
        e->writer = WRITER_IDLE;
        embedded_back_up(e);
}

void embedded_open(struct embedded *e, struct freshness *f)
{
        e->hooks = truth_lmdb_hooks(f, ++e->epochs);
        e->hooks.opened(e->hooks.context, e->hooks.epoch, (struct position){e->txn});
        e->world->totals.epochs++;
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

static void commit(struct embedded *e)
{
        e->txn++;
        world_new_versions(e->world, e->cells, &e->data);
        e->write = world_commit(
                e->world, &(struct write){.epoch = e->hooks.epoch, .n = e->txn, .cells = e->cells}, &e->data);
        world_trace(e->world, "writer: commit %llu is visible", (unsigned long long)e->txn);
}

/* The commit succeeds, fails, or fails to say which. */
static void end_commit(struct embedded *e)
{
        uint64_t tags[CELLS];
        const size_t count = tags_of(e->cells, tags);
        const uint32_t end = world_random(e->world, 10);

        e->writer = WRITER_IDLE;
        if (end < 7 || end == 8)
                commit(e);
        if (end < 7) {
                e->writer = WRITER_COMMITTED;
        } else if (end == 7) {
                world_trace(e->world, "writer: abort");
                e->hooks.aborted(e->hooks.context, tags, count);
        } else {
                world_trace(e->world, "writer: outcome unknown");
        }
}

void embedded_write(struct embedded *e)
{
        uint64_t tags[CELLS];
        size_t count;

        switch (e->writer) {
        case WRITER_IDLE:
                if (!world_may_commit(e->world))
                        return;
                e->cells = 1 + world_random(e->world, ALL_CELLS);
                count = tags_of(e->cells, tags);
                world_trace(e->world, "writer: poison cells %x", e->cells);
                e->hooks.before(e->hooks.context, tags, count);
                e->writer = WRITER_POISONED;
                break;
        case WRITER_POISONED: end_commit(e); break;
        case WRITER_COMMITTED:
                count = tags_of(e->cells, tags);
                e->hooks.after(e->hooks.context, tags, count, (struct position){e->txn});
                e->world->writes[e->write].acknowledged = true;
                e->writer = WRITER_IDLE;
                world_trace(e->world, "writer: commit %llu is published and acknowledged", (unsigned long long)e->txn);
                break;
        }
}

void embedded_back_up(struct embedded *e)
{
        e->copy.txn = e->txn;
        e->copy.data = e->data;
}

void embedded_restart(struct embedded *e)
{
        e->writer = WRITER_IDLE;
        if (!history_has_room(&e->world->history) || world_chance(e->world, 50)) {
                world_trace(e->world, "restart");
                return;
        }
        world_trace(e->world, "restart on the copy of transaction %llu", (unsigned long long)e->copy.txn);
        for (uint32_t i = 0; i < e->world->write_count; i++) {
                struct write *write = &e->world->writes[i];

                if (write->n > e->copy.txn && write->lost == INT64_MAX)
                        write->lost = e->world->now;
        }
        e->txn = e->copy.txn;
        e->data = e->copy.data;
        history_change(&e->world->history, &e->data, e->world->now);
}

void embedded_read(const struct embedded *e, struct embedded_read *out)
{
        *out = (struct embedded_read){e->hooks.epoch, snapshot_of_txn(e->txn), e->data};
}
