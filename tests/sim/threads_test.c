/* Publishing without locks, with real threads: one publisher, several readers, each reply checked. Under
 * ThreadSanitizer it says whether the protocol is free of races; in the other lanes, whether the order of its stores
 * is what it must be.
 *
 * The database is a mutex and a few numbers; all that is under test is invalidation/. */
#include "invalidation/truth_lmdb.h"

#include "base/hash.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { CELLS = 4, READERS = 2, ROUNDS = 1000, BOUND = 300, POLLS_MAX = 3 * ROUNDS };

/* Version v of a cell is its v-th write. */
struct shared {
        struct freshness *f;
        bool polled;
        pthread_mutex_t lock; /* the database's own: a commit, and a read, is one step */
        uint64_t txn;
        uint32_t version[CELLS];
        _Atomic uint32_t acknowledged[CELLS];            /* the newest version acknowledged */
        _Atomic uint32_t seen[CELLS];                    /* the newest version that any reader was answered with */
        _Atomic int64_t clock;                           /* every look at it is one tick */
        _Atomic int64_t committed_at[CELLS][ROUNDS + 2]; /* polled: when a version was acknowledged; 0: not yet */
        _Atomic uint64_t poll_xmax[POLLS_MAX];           /* polled: what each poll saw */
        _Atomic unsigned started;
        _Atomic bool stop;
        _Atomic unsigned broken;
        _Atomic unsigned answered;
};

struct copy {
        bool present;
        uint32_t version;
        struct position as_of;
};

static int64_t tick(struct shared *s)
{
        return atomic_fetch_add(&s->clock, 1) + 1;
}

static struct snapshot take_copy(struct shared *s, unsigned cell, struct copy *out)
{
        struct snapshot snapshot;

        pthread_mutex_lock(&s->lock);
        snapshot = snapshot_of_txn(s->txn);
        out->version = s->version[cell];
        pthread_mutex_unlock(&s->lock);
        out->as_of = freshness_as_of(s->f, 1, &snapshot);
        out->present = out->as_of.n != POSITION_NONE.n;
        return snapshot;
}

static enum verdict check(struct shared *s, unsigned cell, const struct copy *copy, int64_t now)
{
        const uint32_t slot = freshness_slot_of(s->f, cell);
        const struct stamp stamp = {
                .epoch = 1, .as_of = copy->as_of, .expires = NANOS_NEVER, .tag_count = 1, .tags = &slot};
        const struct nanos bound = {s->polled ? BOUND : 0};

        return freshness_check(s->f, &stamp, 0, bound, (struct nanos){now});
}

/* Embedded: what had been acknowledged, or seen by anybody, before this read began is seen by it. */
static void read_embedded(struct shared *s, unsigned cell, struct copy *copy)
{
        const uint32_t acknowledged = atomic_load(&s->acknowledged[cell]);
        uint32_t seen = atomic_load(&s->seen[cell]);

        (void)tick(s);
        if (copy->present && check(s, cell, copy, 0) == VERDICT_FRESH)
                atomic_fetch_add(&s->answered, 1);
        else
                (void)take_copy(s, cell, copy);
        if (copy->version < acknowledged || copy->version < seen)
                atomic_fetch_add(&s->broken, 1);
        while (seen < copy->version && !atomic_compare_exchange_weak(&s->seen[cell], &seen, copy->version))
                continue;
}

/* Polled: what had been acknowledged more than BOUND before this read began is seen by it; and no position is given
 * to a snapshot that does not contain it. */
static void read_polled(struct shared *s, unsigned cell, struct copy *copy)
{
        const int64_t now = tick(s);
        int64_t next;

        if (!copy->present || check(s, cell, copy, now) != VERDICT_FRESH) {
                struct snapshot snapshot = take_copy(s, cell, copy);

                if (copy->present && atomic_load(&s->poll_xmax[copy->as_of.n]) > snapshot.xmax)
                        atomic_fetch_add(&s->broken, 1);
                return;
        }
        next = atomic_load(&s->committed_at[cell][copy->version + 1]);
        if (next != 0 && next < now - BOUND)
                atomic_fetch_add(&s->broken, 1);
        atomic_fetch_add(&s->answered, 1);
}

static void *reader(void *argument)
{
        struct shared *s = argument;
        struct copy copies[CELLS] = {{0}};
        uint64_t chance = (uint64_t)(uintptr_t)&copies;

        atomic_fetch_add(&s->started, 1);
        while (!atomic_load(&s->stop)) {
                unsigned cell = (unsigned)(random_next(&chance) % CELLS);

                if (s->polled)
                        read_polled(s, cell, &copies[cell]);
                else
                        read_embedded(s, cell, &copies[cell]);
        }
        return NULL;
}

static void commit(struct shared *s, unsigned cell)
{
        pthread_mutex_lock(&s->lock);
        s->txn++;
        s->version[cell]++;
        pthread_mutex_unlock(&s->lock);
}

/* Lets the readers read for a while. */
static void wait_ticks(struct shared *s, int64_t ticks)
{
        const int64_t until = atomic_load(&s->clock) + ticks;

        while (atomic_load(&s->clock) < until)
                (void)sched_yield();
}

static void publish_embedded(struct shared *s, uint64_t *chance)
{
        const struct source_hooks hooks = truth_lmdb_hooks(s->f, 1);

        for (unsigned round = 0; round < ROUNDS; round++) {
                const uint64_t cell = random_next(chance) % CELLS;

                hooks.before(hooks.context, &cell, 1);
                if (random_next(chance) % 8 == 0) {
                        hooks.aborted(hooks.context, &cell, 1);
                        continue;
                }
                commit(s, (unsigned)cell);
                if (round % 8 == 0)
                        wait_ticks(s, 20);
                hooks.after(hooks.context, &cell, 1, (struct position){s->txn});
                atomic_store(&s->acknowledged[cell], s->version[cell]);
        }
}

static void poll(struct shared *s, uint64_t *touched, size_t *touched_count)
{
        struct freshness_poll p = {.number = freshness_poll_begin(s->f), .epoch = 1};

        p.sent.ns = tick(s);
        p.snapshot = snapshot_of_txn(s->txn);
        p.touched = touched;
        p.touched_count = *touched_count;
        atomic_store(&s->poll_xmax[p.number.n], p.snapshot.xmax);
        freshness_poll_end(s->f, &p);
        *touched_count = 0;
}

static void publish_polled(struct shared *s, uint64_t *chance)
{
        uint64_t touched[ROUNDS];
        size_t touched_count = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
                const uint64_t cell = random_next(chance) % CELLS;

                commit(s, (unsigned)cell);
                atomic_store(&s->committed_at[cell][s->version[cell]], tick(s));
                touched[touched_count++] = cell;
                if (random_next(chance) % 4 == 0)
                        freshness_hint(s->f, &cell, 1);
                wait_ticks(s, (int64_t)(random_next(chance) % 60));
                for (uint64_t polls = random_next(chance) % 3; polls > 0; polls--)
                        poll(s, touched, &touched_count);
        }
}

static struct shared *make_shared(bool polled)
{
        const struct freshness_config config = {.slots = CELLS, .polls_kept = 4, .always_certain = !polled};
        static struct shared s;

        memset(&s, 0, sizeof(s));
        s.polled = polled;
        s.txn = 1;
        pthread_mutex_init(&s.lock, NULL);
        assert_ok(freshness_create(&s.f, &config));
        if (!polled)
                freshness_begin_epoch(s.f, 1, (struct position){1});
        return &s;
}

static void run(bool polled)
{
        struct shared *s = make_shared(polled);
        pthread_t readers[READERS];
        uint64_t chance = 7;

        for (int i = 0; i < READERS; i++)
                assert_int_equal(pthread_create(&readers[i], NULL, reader, s), 0);
        while (atomic_load(&s->started) < READERS)
                (void)sched_yield();
        if (polled)
                publish_polled(s, &chance);
        else
                publish_embedded(s, &chance);
        atomic_store(&s->stop, true);
        for (int i = 0; i < READERS; i++)
                pthread_join(readers[i], NULL);
        print_message("%u replies were checked\n", atomic_load(&s->answered));
        assert_int_equal(atomic_load(&s->broken), 0);
        assert_true(atomic_load(&s->answered) > 0);
        freshness_destroy(&s->f);
        pthread_mutex_destroy(&s->lock);
}

static void readers_of_an_embedded_source_are_never_behind(void **state)
{
        (void)state;
        run(false);
}

static void readers_of_a_polled_source_are_within_the_bound(void **state)
{
        (void)state;
        run(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(readers_of_an_embedded_source_are_never_behind),
                cmocka_unit_test(readers_of_a_polled_source_are_within_the_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
