#include "tests/sim/node.h"

#include "base/assert.h"

unsigned node_cells_of_key(unsigned key)
{
        static const unsigned cells[KEYS] = {1u << 0 | 1u << 1, 1u << 2, 1u << 1 | 1u << 2};

        return cells[key];
}

static void make_freshness(struct node *n)
{
        const struct setup *setup = &n->side->setup;
        const struct freshness_config config = {
                .slots = setup->slots,
                .polls_kept = setup->polls_kept,
                .always_certain = !setup->polled,
                .heartbeats = setup->synchronous,
        };

        VC_ASSERT(freshness_create(&n->freshness, &config) == OK);
        if (!setup->polled)
                embedded_open(&n->side->embedded, n->freshness);
}

/* Everything but the source forgets. */
static void forget(struct node *n)
{
        n->publishing = false;
        n->poll.state = POLL_NONE;
        n->poll.has_failed = n->poll.at_old = n->poll.resign = false;
        for (unsigned i = 0; i < KEYS; i++)
                n->in_l1[i] = false;
        for (unsigned i = 0; i < READS_MAX; i++)
                n->reads[i].state = READ_FREE;
        for (unsigned i = 0; i < FILLS_MAX; i++)
                n->fills[i].state = FILL_FREE;
        for (unsigned i = 0; i < CELLS; i++)
                n->hinted[i] = 0;
}

void node_begin(struct node *n, const char *name, struct source_side *side, uint64_t def)
{
        n->name = name;
        n->side = side;
        n->def = def;
        forget(n);
        make_freshness(n);
}

void node_end(struct node *n)
{
        freshness_destroy(&n->freshness);
}

void node_restart(struct node *n)
{
        freshness_destroy(&n->freshness);
        embedded_restart(&n->side->embedded);
        forget(n);
        make_freshness(n);
}

void node_evict(struct node *n)
{
        n->in_l1[world_random(n->side->world, KEYS)] = false;
}

/* ---- reads ---- */

/* A recent write whose token somebody holds; NULL if there is none. */
static const struct write *any_token(struct world *w)
{
        const uint32_t recent = w->write_count < 4 ? w->write_count : 4;
        const struct write *write;

        if (recent == 0)
                return NULL;
        write = &w->writes[w->write_count - 1 - world_random(w, recent)];
        return write->acknowledged && write->epoch != EPOCH_NONE ? write : NULL;
}

void node_invoke(struct node *n)
{
        struct world *w = n->side->world;
        struct read *read = &n->reads[world_random(w, READS_MAX)];

        if (read->state != READ_FREE)
                return;
        *read = (struct read){.state = READ_INVOKED, .key = world_random(w, KEYS), .invoked = {w->now}};
        if (n->side->setup.polled && world_chance(w, 70))
                read->bound.ns = n->side->setup.bound;
        if (world_chance(w, n->side->setup.after_percent))
                read->after = any_token(w);
        /* A deposed primary knows nothing of a write made since; it answers as long as the bound lets it. */
        for (unsigned cell = 0; cell < CELLS && !n->side->primary.deposed; cell++) {
                if ((node_cells_of_key(read->key) & 1u << cell) && n->hinted[cell] > read->hinted)
                        read->hinted = n->hinted[cell];
        }
        world_trace(w, "%s: read %d of key %u, bound %lld%s", n->name, (int)(read - n->reads), read->key,
                (long long)read->bound.ns, read->after != NULL ? ", after a token" : "");
        world_tick(w);
}

/* A read AFTER a token does not take a replica's word: for a while after a crash a replica gives the name of the old
 * history to the new one, in which the token's transaction id may be used again. */
static bool needs_primary(const struct read *read)
{
        return read->after != NULL && !MUTANT(TOKEN_OF_REPLICA);
}

/* And it is answered only from what is known to contain the token's write. */
static bool knows_token(const struct node *n, const struct read *read, const struct entry *entry)
{
        if (entry->replica && needs_primary(read))
                return false;
        return freshness_reached(n->freshness, read->after->epoch, read->after->n);
}

static bool may_answer(const struct node *n, const struct read *read, const struct entry *entry)
{
        uint32_t slots[CELLS];
        struct stamp stamp = {.epoch = entry->epoch, .def = entry->def, .as_of = entry->as_of, .tags = slots};

        stamp.expires = entry->expires;
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (node_cells_of_key(read->key) & 1u << cell)
                        slots[stamp.tag_count++] = freshness_slot_of(n->freshness, cell);
        }
        if (read->after != NULL && !knows_token(n, read, entry))
                return false;
        return freshness_check(n->freshness, &stamp, n->def, read->bound, read->invoked) == VERDICT_FRESH;
}

static bool answer_from_l1(struct node *n, struct read *read)
{
        struct entry entry;

        if (!n->in_l1[read->key])
                return false;
        entry = n->l1[read->key]; /* a reference: what L1 holds may change meanwhile */
        if (!may_answer(n, read, &entry))
                return false;
        world_trace(n->side->world, "%s: read %d is answered from L1", n->name, (int)(read - n->reads));
        node_reply(n, read, &entry, true);
        return true;
}

/* Any entry of the key that was ever stored may come back; as_of is this node's own judgement of its snapshot. */
static bool answer_from_l2(struct node *n, struct read *read)
{
        struct l2 *l2 = &n->side->l2;
        const uint32_t kept = l2->count < L2_MAX ? l2->count : L2_MAX;
        struct entry entry;
        uint32_t i;

        if (kept == 0 || !world_chance(n->side->world, n->side->setup.l2_percent))
                return false;
        i = world_random(n->side->world, kept);
        if (l2->keys[i] != read->key)
                return false;
        entry = l2->entries[i];
        entry.as_of = freshness_as_of(n->freshness, entry.epoch, &entry.snapshot);
        if (!may_answer(n, read, &entry))
                return false;
        world_trace(n->side->world, "%s: read %d is answered from L2", n->name, (int)(read - n->reads));
        n->l1[read->key] = entry;
        n->in_l1[read->key] = true;
        node_reply(n, read, &entry, true);
        return true;
}

static bool join(struct node *n, struct read *read)
{
        for (unsigned i = 0; i < FILLS_MAX; i++) {
                const struct fill *fill = &n->fills[i];
                enum fill_fit fit = fill_rule_fit(&fill->origin, read->invoked);

                if (fill->state == FILL_FREE || fill->key != read->key)
                        continue;
                if (!fill_rule_may_join(fit, read->bound, !n->side->setup.polled))
                        continue;
                read->state = READ_WAITING;
                read->fill = i;
                world_trace(n->side->world, "%s: read %d joins fill %u", n->name, (int)(read - n->reads), i);
                return true;
        }
        return false;
}

static void start_fill(struct node *n, struct read *read)
{
        struct world *w = n->side->world;
        const struct setup *setup = &n->side->setup;

        for (unsigned i = 0; i < FILLS_MAX; i++) {
                struct fill *fill = &n->fills[i];

                if (fill->state != FILL_FREE)
                        continue;
                fill->state = FILL_QUEUED;
                fill->key = read->key;
                fill->beat = setup->synchronous && (read->bound.ns == 0 || read->prove);
                fill->origin = (struct fill_origin){.sent = NANOS_NEVER};
                fill->origin.primary =
                        !setup->polled || fill->beat || needs_primary(read) || !world_chance(w, setup->replica_percent);
                read->state = READ_WAITING;
                read->fill = i;
                world_trace(w, "%s: read %d starts fill %u%s", n->name, (int)(read - n->reads), i,
                        fill->origin.primary ? "" : " of the replica");
                return;
        }
        read->state = READ_FREE; /* busy */
        w->totals.refused++;
}

static struct read *any_invoked(struct node *n)
{
        const uint32_t first = world_random(n->side->world, READS_MAX);

        for (uint32_t i = 0; i < READS_MAX; i++) {
                struct read *read = &n->reads[(first + i) % READS_MAX];

                if (read->state == READ_INVOKED)
                        return read;
        }
        return NULL;
}

void node_serve(struct node *n)
{
        struct read *read = any_invoked(n);

        if (read == NULL)
                return;
        read->state = READ_UNDER_WAY;
        if (answer_from_l1(n, read) || answer_from_l2(n, read)) {
                read->state = READ_FREE;
                return;
        }
        if (!join(n, read))
                start_fill(n, read);
}

/* ---- fills ---- */

static void fail(struct node *n, const struct fill *fill)
{
        const unsigned number = (unsigned)(fill - n->fills);

        world_trace(n->side->world, "%s: fill %u fails", n->name, number);
        for (unsigned i = 0; i < READS_MAX; i++) {
                if (n->reads[i].state == READ_WAITING && n->reads[i].fill == number)
                        n->reads[i].state = READ_INVOKED;
        }
        n->fills[number].state = FILL_FREE;
}

/* A connection may lead to a deposed primary still. */
static void read_polled(struct node *n, struct fill *fill, struct primary_read *read)
{
        const struct primary *p = &n->side->primary;

        if (p->deposed && fill->origin.primary && world_chance(n->side->world, 30)) {
                *read = p->old;
                if (fill->beat)
                        fill->state = FILL_FREE;
                return;
        }
        primary_read(p, !fill->origin.primary, read);
        fill->origin.beaten = fill->beat;
}

static void execute(struct node *n, struct fill *fill)
{
        struct entry *entry = &fill->entry;

        if (n->side->setup.polled) {
                struct primary_read read = {0};

                read_polled(n, fill, &read);
                *entry = (struct entry){.epoch = read.epoch, .snapshot = read.snapshot, .data = read.data};
        } else {
                struct embedded_read read;

                embedded_read(&n->side->embedded, &read);
                *entry = (struct entry){.epoch = read.epoch, .snapshot = read.snapshot, .data = read.data};
        }
        entry->replica = !fill->origin.primary;
        entry->def = n->def;
        entry->expires.ns = fill->origin.sent.ns + n->side->setup.ttl;
}

static void store(struct node *n, const struct fill *fill)
{
        struct l2 *l2 = &n->side->l2;

        if (fill_rule_may_store(OK, fill->entry.as_of)) {
                n->l1[fill->key] = fill->entry;
                n->in_l1[fill->key] = true;
        }
        if (fill->entry.epoch == EPOCH_NONE) /* the read could not say which history it saw */
                return;
        l2->entries[l2->count % L2_MAX] = fill->entry;
        l2->keys[l2->count % L2_MAX] = (uint8_t)fill->key;
        l2->count++;
}

/* Whether the fill's data is the primary's own, which a deposed one's is not. */
static bool is_proved(const struct node *n, const struct read *read, const struct fill *fill)
{
        if (fill->origin.beaten || (MUTANT(BEAT_OF_JOINED) && read->bound.ns == 0))
                return true;
        return freshness_primary_proved(n->freshness, fill->entry.epoch, read->bound, read->invoked);
}

/* A fill sent after the read's invocation answers it: but a token must be of the history that was read. */
static void answer_waiter(struct node *n, struct read *read, const struct fill *fill)
{
        const struct write *after = read->after;

        if (fill_rule_fit(&fill->origin, read->invoked) == FILL_ANSWERS_IF_FRESH) {
                read->state = READ_UNDER_WAY;
                if (!may_answer(n, read, &fill->entry)) {
                        read->state = READ_INVOKED; /* from the start again */
                        return;
                }
                node_reply(n, read, &fill->entry, true);
        } else if (!is_proved(n, read, fill)) {
                read->state = READ_INVOKED;
                read->prove = true;
                return;
        } else if (after != NULL && fill->entry.epoch != after->epoch) {
                n->side->world->totals.refused++;
        } else {
                node_reply(n, read, &fill->entry, false);
        }
        read->state = READ_FREE;
}

static void deliver(struct node *n, unsigned number)
{
        struct fill fill = n->fills[number];

        n->fills[number].state = FILL_FREE;
        if (MUTANT(EPOCH_OF_DELIVERY))
                fill.entry.epoch = freshness_epoch(n->freshness);
        fill.entry.as_of = freshness_as_of(n->freshness, fill.entry.epoch, &fill.entry.snapshot);
        world_trace(n->side->world, "%s: fill %u arrives, as of %llu", n->name, number,
                (unsigned long long)fill.entry.as_of.n);
        store(n, &fill);
        for (unsigned i = 0; i < READS_MAX; i++) {
                if (n->reads[i].state == READ_WAITING && n->reads[i].fill == number)
                        answer_waiter(n, &n->reads[i], &fill);
        }
}

void node_fill(struct node *n)
{
        struct world *w = n->side->world;
        unsigned number = world_random(w, FILLS_MAX);
        struct fill *fill;

        for (unsigned i = 1; n->fills[number].state == FILL_FREE && i < FILLS_MAX; i++)
                number = (number + 1) % FILLS_MAX;
        fill = &n->fills[number];
        switch (fill->state) {
        case FILL_FREE: break;
        case FILL_QUEUED:
                fill->origin.sent.ns = w->now;
                fill->state = FILL_SENT;
                break;
        case FILL_SENT:
                fill->state = FILL_EXECUTED;
                execute(n, fill);
                world_trace(w, "%s: fill %u reads the source", n->name, number);
                if (fill->state == FILL_FREE)
                        fail(n, fill);
                break;
        case FILL_EXECUTED: deliver(n, number); break;
        }
}
