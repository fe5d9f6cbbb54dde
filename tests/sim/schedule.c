#include "tests/sim/schedule.h"

enum { HINTS_MAX = 8, INTERLEAVED_MAX = 2 };

struct hint {
        unsigned cells;
        int64_t committed;
};

struct schedule {
        struct world world;
        struct source_side side;
        struct node nodes[NODES];
        uint32_t node_count;
        struct hint hints[HINTS_MAX]; /* on their way to anybody; each may arrive never, once or often */
        uint32_t hint_count;
        unsigned interleaved; /* depth of steps within steps */
};

/* The macros of database/mutant.h call back without an argument: the one schedule that runs, and the rule left
 * out. */
static struct schedule schedule;
static enum mutant left_out = MUTANT_NONE;

/* ---- steps ---- */

static struct node *any_node(struct schedule *s)
{
        return &s->nodes[world_random(&s->world, s->node_count)];
}

static void step_invoke(struct schedule *s)
{
        node_invoke(any_node(s));
}

static void step_serve(struct schedule *s)
{
        node_serve(any_node(s));
}

static void step_fill(struct schedule *s)
{
        node_fill(any_node(s));
}

static void step_evict(struct schedule *s)
{
        node_evict(any_node(s));
}

static void step_pause(struct schedule *s)
{
        s->world.now += world_random(&s->world, 60);
}

/* An entry of another database that shares the L2. */
static void step_foreign(struct schedule *s)
{
        const uint32_t at = s->side.l2.count++ % L2_MAX;
        struct entry *entry = &s->side.l2.entries[at];

        *entry = (struct entry){.def = s->nodes[0].def, .epoch = UINT64_MAX, .expires = NANOS_NEVER};
        entry->snapshot = snapshot_of_primary(1000, 1000, NULL, 0);
        s->side.l2.keys[at] = (uint8_t)world_random(&s->world, KEYS);
}

static void step_poll(struct schedule *s)
{
        struct node *n = any_node(s);

        if (!n->publishing)
                node_poll(n);
}

static void step_lose_poll(struct schedule *s)
{
        struct node *n = any_node(s);

        if (!n->publishing)
                node_lose_poll(n);
}

static void step_hint(struct schedule *s)
{
        struct node *n = any_node(s);
        const uint32_t back = 1 + world_random(&s->world, world_chance(&s->world, 50) ? 1 : HINTS_MAX);
        const struct hint *hint = &s->hints[(s->hint_count - back) % HINTS_MAX];

        if (n->publishing)
                return;
        if (world_chance(&s->world, 10))
                node_hint(n, 1 + world_random(&s->world, ALL_CELLS), 0);
        else if (hint->cells != 0)
                node_hint(n, hint->cells, hint->committed);
}

static void step_open(struct schedule *s)
{
        primary_open(&s->side.primary);
}

static void step_commit(struct schedule *s)
{
        const int number = primary_commit(&s->side.primary);

        if (number < 0)
                return;
        s->hints[s->hint_count++ % HINTS_MAX] =
                (struct hint){s->world.writes[number].cells, s->world.writes[number].committed};
}

static void step_abort(struct schedule *s)
{
        primary_abort(&s->side.primary);
}

static void step_flush(struct schedule *s)
{
        primary_flush(&s->side.primary);
}

static void step_replay(struct schedule *s)
{
        primary_replay(&s->side.primary);
}

static void step_crash(struct schedule *s)
{
        primary_crash(&s->side.primary);
}

static void step_fail_over(struct schedule *s)
{
        primary_fail_over(&s->side.primary);
        for (uint32_t i = 0; i < s->node_count; i++)
                s->nodes[i].poll.at_old = s->side.primary.deposed && world_chance(&s->world, 70);
}

static void step_toggle(struct schedule *s)
{
        primary_toggle(&s->side.primary);
}

static void step_restore(struct schedule *s)
{
        primary_restore(&s->side.primary);
}

static void step_clean(struct schedule *s)
{
        node_clean(any_node(s));
}

static void step_writer(struct schedule *s)
{
        struct node *n = &s->nodes[0];

        if (n->publishing)
                return;
        n->publishing = true;
        embedded_write(&s->side.embedded);
        n->publishing = false;
}

static void step_back_up(struct schedule *s)
{
        embedded_back_up(&s->side.embedded);
}

static void step_restart(struct schedule *s)
{
        if (s->interleaved == 0)
                node_restart(&s->nodes[0]);
}

/* How often each step is taken, if the schedule takes it at all; 0: not with that kind of source. */
struct step {
        void (*run)(struct schedule *s);
        uint8_t polled;
        uint8_t embedded;
        bool essential; /* every schedule takes it */
};

static const struct step steps[] = {
        {step_invoke, 12, 12, true},
        {step_serve, 14, 14, true},
        {step_fill, 16, 16, true},
        {step_poll, 16, 0, true},
        {step_open, 4, 0, true},
        {step_commit, 6, 0, true},
        {step_writer, 0, 6, true},
        {step_lose_poll, 2, 0, false},
        {step_hint, 5, 0, false},
        {step_abort, 1, 0, false},
        {step_flush, 3, 0, false},
        {step_replay, 5, 0, false},
        {step_crash, 2, 0, false},
        {step_fail_over, 2, 0, false},
        {step_toggle, 2, 0, false},
        {step_restore, 2, 0, false},
        {step_clean, 2, 0, false},
        {step_foreign, 1, 1, false},
        {step_evict, 2, 2, false},
        {step_pause, 1, 1, false},
        {step_back_up, 0, 1, false},
        {step_restart, 0, 1, false},
};
enum { STEPS = sizeof(steps) / sizeof(steps[0]), TICKETS_MAX = 320 };

/* Each kind of step gets as many tickets as it is drawn often. Schedules that leave some kinds out altogether reach
 * deeper states of the others. */
struct lottery {
        uint8_t tickets[TICKETS_MAX];
        uint32_t count;
};

static void draw_lottery(struct schedule *s, struct lottery *l)
{
        l->count = 0;
        for (uint8_t i = 0; i < STEPS; i++) {
                uint32_t tickets = s->side.setup.polled ? steps[i].polled : steps[i].embedded;

                if (!steps[i].essential)
                        tickets *= world_random(&s->world, 3);
                for (; tickets > 0; tickets--)
                        l->tickets[l->count++] = i;
        }
}

/* ---- the schedule ---- */

static void draw_setup(struct world *w, struct setup *setup)
{
        *setup = (struct setup){
                .polled = world_chance(w, 75),
                .slots = 1u << world_random(w, 3),
                .polls_kept = 1 + world_random(w, 6),
                .bound = world_chance(w, 50) ? 40 : 120,
                .ttl = world_chance(w, 20) ? 50 : 1000,
                .after_percent = 30 * world_random(w, 3),
                .replica_percent = 30 * world_random(w, 4),
                .l2_percent = 30 * world_random(w, 3),
        };
        setup->synchronous = setup->polled && world_chance(w, 30);
}

static void begin(struct schedule *s, uint64_t seed, bool tracing)
{
        world_begin(&s->world, seed, tracing);
        draw_setup(&s->world, &s->side.setup);
        s->side.world = &s->world;
        s->side.l2.count = 0;
        primary_begin(&s->side.primary, &s->world, s->side.setup.synchronous);
        embedded_begin(&s->side.embedded, &s->world);
        s->hint_count = 0;
        for (unsigned i = 0; i < HINTS_MAX; i++)
                s->hints[i].cells = 0;
        s->node_count = s->side.setup.polled ? NODES : 1;
        s->interleaved = 0;
        node_begin(&s->nodes[0], "A", &s->side, 1);
        if (s->node_count > 1) /* of another release now and then */
                node_begin(&s->nodes[1], "B", &s->side, world_chance(&s->world, 20) ? 2 : 1);
}

static void end(struct schedule *s)
{
        for (uint32_t i = 0; i < s->node_count; i++)
                node_end(&s->nodes[i]);
}

const char *schedule_run(uint64_t seed, bool tracing, struct totals *totals)
{
        struct schedule *s = &schedule;
        struct lottery lottery;
        uint32_t left;

        s->world.totals = *totals;
        begin(s, seed, tracing);
        draw_lottery(s, &lottery);
        left = 60 + world_random(&s->world, 180);
        for (; left > 0 && s->world.violation == NULL; left--) {
                steps[lottery.tickets[world_random(&s->world, lottery.count)]].run(s);
                s->world.totals.steps++;
                world_tick(&s->world);
        }
        end(s);
        *totals = s->world.totals;
        return s->world.violation;
}

/* ---- what database/mutant.h asks for ---- */

void schedule_leave_out(enum mutant mutant)
{
        left_out = mutant;
}

bool mutant_is(enum mutant mutant)
{
        return mutant == left_out;
}

/* Between two stores of a publisher, or two loads of a reader, the other threads of the node go on: now and then one
 * step of theirs runs to its end here. A publisher is one thread, so that it does not begin again (see
 * `publishing`). */
void mutant_pause(void)
{
        static void (*const polled[])(struct schedule *) = {
                step_serve, step_serve, step_invoke, step_poll, step_hint, step_commit};
        static void (*const embedded[])(struct schedule *) = {step_serve, step_serve, step_invoke, step_writer};
        struct schedule *s = &schedule;

        if (s->interleaved == INTERLEAVED_MAX || !world_chance(&s->world, 15))
                return;
        s->interleaved++;
        world_tick(&s->world);
        if (s->side.setup.polled)
                polled[world_random(&s->world, sizeof(polled) / sizeof(polled[0]))](s);
        else
                embedded[world_random(&s->world, sizeof(embedded) / sizeof(embedded[0]))](s);
        world_tick(&s->world);
        s->interleaved--;
}
