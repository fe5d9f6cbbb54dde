#include "tests/sim/primary.h"

#include "base/assert.h"

#define NO_WRITE ((uint32_t)WRITES_MAX)

static void append(struct primary *p, struct log_entry entry)
{
        VC_ASSERT(p->length < LOG_MAX);
        entry.data = p->data;
        entry.tables = p->tables;
        p->log[p->length++] = entry;
        if (entry.kind != LOG_EPOCH && entry.xid > p->completed)
                p->completed = entry.xid;
}

/* The row that names the history is written like any other, and flushed. */
static void name_history(struct primary *p)
{
        p->epoch = ++p->epochs;
        append(p, (struct log_entry){.kind = LOG_EPOCH, .epoch = p->epoch});
        p->durable = p->length;
        p->world->totals.epochs++;
}

void primary_begin(struct primary *p, struct world *world, bool synchronous)
{
        p->world = world;
        p->synchronous = synchronous;
        p->crowded = world_chance(world, 10);
        p->deposed = false;
        p->tables = (struct tables){0};
        p->floor_count = 0;
        p->length = 0;
        p->epochs = 0;
        p->next_xid = 3;
        p->completed = 2;
        for (unsigned i = 0; i < OPEN_MAX; i++)
                p->open[i].xid = 0;
        p->data = world->initial;
        append(p, (struct log_entry){.kind = LOG_COMMIT, .xid = 2, .write = NO_WRITE});
        name_history(p);
        p->replayed = p->length;
}

/* Room for what every open transaction and one new history still have to log, and three entries more. */
static bool has_room(const struct primary *p)
{
        return p->length + OPEN_MAX + 4 < LOG_MAX;
}

void primary_open(struct primary *p)
{
        struct open_transaction *tx = &p->open[world_random(p->world, OPEN_MAX)];
        unsigned locked = 0;

        for (unsigned i = 0; i < OPEN_MAX; i++)
                locked |= p->open[i].xid != 0 ? p->open[i].cells : 0;
        if (tx->xid != 0 || !has_room(p) || locked == ALL_CELLS)
                return;
        tx->cells = (1 + world_random(p->world, ALL_CELLS)) & ~locked; /* a row has one writer at a time */
        if (tx->cells == 0)
                return;
        tx->xid = p->next_xid++;
        world_trace(p->world, "transaction %llu opens, writes cells %x", (unsigned long long)tx->xid, tx->cells);
}

static struct open_transaction *any_open(struct primary *p)
{
        struct open_transaction *tx = &p->open[world_random(p->world, OPEN_MAX)];

        return tx->xid != 0 ? tx : NULL;
}

/* With a synchronous replica a commit is acknowledged, and visible, when both have it. */
static void append_commit(struct primary *p, struct log_entry entry)
{
        entry.kind = LOG_COMMIT;
        append(p, entry);
        if (p->synchronous)
                p->durable = p->replayed = p->length;
}

int primary_commit(struct primary *p)
{
        struct open_transaction *tx = any_open(p);
        struct log_entry entry;

        if (tx == NULL || !world_may_commit(p->world))
                return -1;
        world_new_versions(p->world, tx->cells, &p->data);
        entry = (struct log_entry){.xid = tx->xid, .touched = tx->cells & ~p->tables.off};
        entry.write = world_commit(p->world,
                &(struct write){.epoch = p->epoch, .n = tx->xid, .cells = tx->cells, .acknowledged = true}, &p->data);
        append_commit(p, entry);
        world_trace(p->world, "transaction %llu commits", (unsigned long long)tx->xid);
        tx->xid = 0;
        return (int)entry.write;
}

void primary_abort(struct primary *p)
{
        struct open_transaction *tx = any_open(p);

        if (tx == NULL)
                return;
        world_trace(p->world, "transaction %llu aborts", (unsigned long long)tx->xid);
        append(p, (struct log_entry){.kind = LOG_ABORT, .xid = tx->xid});
        tx->xid = 0;
}

/* ---- transactions that change no data ---- */

static void administer(struct primary *p, unsigned touched)
{
        append_commit(p, (struct log_entry){.xid = p->next_xid++, .touched = touched, .write = NO_WRITE});
}

static bool is_written_to(const struct primary *p, unsigned cell)
{
        for (unsigned i = 0; i < OPEN_MAX; i++) {
                if (p->open[i].xid != 0 && (p->open[i].cells & 1u << cell))
                        return true;
        }
        return false;
}

static void alter(struct primary *p, unsigned cell)
{
        p->tables.off ^= 1u << cell;
        p->tables.signature[cell]++;
        administer(p, 0);
        world_trace(p->world, "the trigger of cell %u %s", cell, p->tables.off & 1u << cell ? "goes" : "is back");
}

/* ALTER TABLE waits for those who write to the table: here it is not done at all. */
void primary_toggle(struct primary *p)
{
        const unsigned cell = world_random(p->world, CELLS);

        if (has_room(p) && !is_written_to(p, cell))
                alter(p, cell);
}

void primary_restore(struct primary *p)
{
        const unsigned cell = world_random(p->world, CELLS);
        struct log_entry entry;

        if (p->tables.off != 0 || !has_room(p) || is_written_to(p, cell) || !world_may_commit(p->world))
                return;
        alter(p, cell);
        world_new_versions(p->world, 1u << cell, &p->data);
        entry = (struct log_entry){.xid = p->next_xid++};
        entry.write = world_commit(p->world,
                &(struct write){.epoch = p->epoch, .n = entry.xid, .cells = 1u << cell, .acknowledged = true},
                &p->data);
        append_commit(p, entry);
        alter(p, cell);
}

static const struct snapshot *floor_of(const struct primary *p, const struct tables *tables)
{
        return tables->floor == 0 ? NULL : &p->floors[tables->floor - 1];
}

void primary_clean(struct primary *p, const struct snapshot *older)
{
        const struct snapshot *floor = floor_of(p, &p->tables);

        if (!has_room(p) || p->floor_count == FLOORS_MAX || (floor != NULL && !snapshot_contains(older, floor)))
                return;
        p->floors[p->floor_count++] = *older;
        p->tables.floor = p->floor_count;
        administer(p, 0);
        world_trace(p->world, "touches are cleaned up below %llu", (unsigned long long)older->xmax);
}

static unsigned changed_cells(const struct tables *tables)
{
        unsigned cells = 0;

        for (unsigned cell = 0; cell < CELLS; cell++)
                cells |= tables->signature[cell] != tables->recorded[cell] ? 1u << cell : 0;
        return cells;
}

void primary_resign(struct primary *p)
{
        const unsigned cells = changed_cells(&p->tables) & ~p->tables.off;

        if (cells == 0 || !has_room(p))
                return;
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (cells & 1u << cell)
                        p->tables.recorded[cell] = p->tables.signature[cell];
        }
        administer(p, MUTANT(RESIGN_WITHOUT_TOUCH) ? 0 : cells);
        world_trace(p->world, "cells %x are touched and signed anew", cells);
}

/* ---- what chance does ---- */

void primary_flush(struct primary *p)
{
        p->durable = p->length;
}

void primary_replay(struct primary *p)
{
        if (p->replayed < p->durable)
                p->replayed += 1 + world_random(p->world, p->durable - p->replayed);
}

/* Goes back to the first `length` entries of the log: what is after them never was. */
static void go_back(struct primary *p, uint32_t length)
{
        uint64_t highest = 0;

        for (uint32_t i = length; i < p->length; i++) {
                if (p->log[i].kind == LOG_COMMIT && p->log[i].write != NO_WRITE)
                        p->world->writes[p->log[i].write].lost = p->world->now;
        }
        p->length = p->durable = length;
        if (p->replayed > length)
                p->replayed = length;
        for (uint32_t i = 0; i < length; i++) {
                if (p->log[i].xid > highest)
                        highest = p->log[i].xid;
        }
        p->data = p->log[length - 1].data;
        p->tables = p->log[length - 1].tables;
        p->next_xid = highest + 1;
        p->completed = highest;
        for (unsigned i = 0; i < OPEN_MAX; i++) {
                if (p->open[i].xid != 0 && p->open[i].xid < p->next_xid)
                        append(p, (struct log_entry){.kind = LOG_ABORT, .xid = p->open[i].xid});
                p->open[i].xid = 0;
        }
        p->epoch = 0; /* what only a clean life of the server keeps is empty now */
        history_change(&p->world->history, &p->data, p->world->now);
}

void primary_crash(struct primary *p)
{
        if (!has_room(p) || !history_has_room(&p->world->history))
                return;
        world_trace(
                p->world, "the primary crashes and recovers; %u commits or aborts are lost", p->length - p->durable);
        go_back(p, p->durable);
}

void primary_fail_over(struct primary *p)
{
        if (!has_room(p) || !history_has_room(&p->world->history))
                return;
        world_trace(p->world, "the replica is promoted; %u commits or aborts are lost", p->length - p->replayed);
        if (p->synchronous && p->epoch != 0) {
                primary_read(p, false, &p->old);
                p->deposed = true;
        }
        go_back(p, p->replayed);
}

/* As PostgreSQL does it: xmax is one past the greatest ended xid; those below it that are open are listed. */
static struct snapshot take_snapshot(const struct primary *p)
{
        uint64_t xip[SNAPSHOT_MAX_RUNNING + 1];
        size_t running = 0;

        for (unsigned i = 0; i < OPEN_MAX; i++) {
                size_t at = running;

                if (p->open[i].xid == 0 || p->open[i].xid > p->completed)
                        continue;
                for (; at > 0 && xip[at - 1] > p->open[i].xid; at--)
                        xip[at] = xip[at - 1];
                xip[at] = p->open[i].xid;
                running++;
        }
        for (; p->crowded && running > 1 && running <= SNAPSHOT_MAX_RUNNING; running++)
                xip[running] = xip[running - 1];
        return snapshot_of_primary(running > 0 ? xip[0] : p->completed + 1, p->completed + 1, xip, running);
}

static bool ended_in(const struct primary *p, uint32_t length, uint64_t xid)
{
        for (uint32_t i = 0; i < length; i++) {
                if (p->log[i].kind != LOG_EPOCH && p->log[i].xid == xid)
                        return true;
        }
        return false;
}

/* The replica knows which transactions have ended in what it has replayed, and that those between them began. */
static void read_replica(const struct primary *p, struct primary_read *out)
{
        uint64_t xmin = 2;
        uint64_t highest = 0;

        for (uint32_t i = 0; i < p->replayed; i++) {
                const struct log_entry *entry = &p->log[i];

                if (entry->kind == LOG_EPOCH)
                        out->epoch = entry->epoch;
                if (entry->kind == LOG_COMMIT)
                        out->data = entry->data;
                if (entry->xid > highest)
                        highest = entry->xid;
        }
        while (xmin <= highest && ended_in(p, p->replayed, xmin))
                xmin++;
        out->snapshot = snapshot_of_replica(xmin, highest + 1);
}

void primary_read(const struct primary *p, bool replica, struct primary_read *out)
{
        if (replica) {
                read_replica(p, out);
                return;
        }
        out->epoch = p->epoch;
        out->snapshot = take_snapshot(p);
        out->data = p->data;
}

static unsigned touched_since(const struct primary *p, uint32_t length, const struct snapshot *since)
{
        const struct snapshot *floor = floor_of(p, &p->tables);
        unsigned cells = 0;

        for (uint32_t i = 0; i < length; i++) {
                if (floor != NULL && snapshot_has(floor, p->log[i].xid))
                        continue;
                if (p->log[i].kind == LOG_COMMIT && !snapshot_has(since, p->log[i].xid))
                        cells |= p->log[i].touched;
        }
        return cells;
}

void primary_poll(struct primary *p, const struct snapshot *since, struct primary_poll *out)
{
        struct primary_read read;
        const bool replica = MUTANT(POLL_OF_REPLICA);

        if (p->epoch == 0 && !replica)
                name_history(p);
        primary_read(p, replica, &read);
        out->epoch = read.epoch;
        out->snapshot = read.snapshot;
        out->off = p->tables.off;
        out->changed = changed_cells(&p->tables);
        out->gap =
                since != NULL && floor_of(p, &p->tables) != NULL && !snapshot_contains(since, floor_of(p, &p->tables));
        out->touched = since == NULL ? 0 : touched_since(p, replica ? p->replayed : p->length, since);
}
