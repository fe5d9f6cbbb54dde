/* Readers on threads of their own share fills, and each is answered on its own loop; while a writer commits. */
#include "cache/reader.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "tests/lib/cache_rig.h"

#include <event2/event.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WORKERS = 3, IN_FLIGHT = 4, READS_EACH = 5000, KEYS = 3 };

static const char *const ids[KEYS] = {"1", "2", "3"};

struct node {
        struct rig rig;
        _Atomic int acknowledged[KEYS]; /* the version of each key that a read invoked now must see */
        _Atomic bool readers_done;
};

struct worker {
        struct node *node;
        struct event_base *base;
        struct reader *reader;
        uint64_t random;
        pthread_t self;
        int started;
        int finished;
};

/* One read after the other. */
struct session {
        struct worker *worker;
        struct lookup lookup;
        int key;
        int must_see;
};

static void check(struct session *s)
{
        struct slice json = s->lookup.value;
        int64_t version;

        assert_ok(s->lookup.status);
        assert_true(s->lookup.found && json.len > 2);
        assert_true(slice_to_i64(slice_of(json.data + 1, json.len - 2), &version)); /* in quotes */
        assert_true(version >= s->must_see);
        assert_true(pthread_equal(pthread_self(), s->worker->self));
        lookup_deinit(&s->lookup);
        s->worker->finished++;
}

static void go_on(struct session *s);

static void on_done(struct lookup *lookup)
{
        struct session *s = lookup->context;

        check(s);
        go_on(s);
}

static void go_on(struct session *s)
{
        struct worker *w = s->worker;

        while (w->started < READS_EACH) {
                w->started++;
                s->key = (int)(random_next(&w->random) % KEYS);
                s->must_see = atomic_load(&w->node->acknowledged[s->key]);
                s->lookup = rig_lookup(&rig_allergies, ids[s->key]);
                s->lookup.now = clock_boot();
                s->lookup.done = on_done;
                s->lookup.context = s;
                if (!lookup_start(w->reader, &s->lookup))
                        return;
                check(s);
        }
        if (w->finished == READS_EACH)
                event_base_loopbreak(w->base);
}

static void *run_worker(void *arg)
{
        struct session sessions[IN_FLIGHT];
        struct worker *w = arg;

        w->self = pthread_self();
        for (int i = 0; i < IN_FLIGHT; i++) {
                sessions[i].worker = w;
                go_on(&sessions[i]);
        }
        while (w->finished < READS_EACH)
                (void)event_base_loop(w->base, EVLOOP_ONCE);
        return NULL;
}

/* Every commit as the embedded source makes it: poison, commit, raise and lift, acknowledge. */
static void *run_writer(void *arg)
{
        struct node *node = arg;

        for (int version = 1; !atomic_load(&node->readers_done); version++) {
                int key = version % KEYS;
                char text[16];

                (void)snprintf(text, sizeof(text), "%d", version);
                rig_write(&node->rig, ids[key], text);
                atomic_store(&node->acknowledged[key], version);
                (void)sched_yield();
        }
        return NULL;
}

/* A source that answers some reads later and on a thread of its own. */
static void *run_source(void *arg)
{
        struct node *node = arg;

        while (!atomic_load(&node->readers_done)) {
                fake_source_hold(node->rig.fake);
                (void)sched_yield();
                fake_source_release(node->rig.fake);
        }
        fake_source_release(node->rig.fake);
        return NULL;
}

static void set_up(struct node *node, struct worker *workers)
{
        struct tiers_config config;

        rig_init(&node->rig);
        for (int k = 0; k < KEYS; k++)
                rig_write(&node->rig, ids[k], "0");
        reader_destroy(&node->rig.reader);
        tiers_destroy(&node->rig.tiers);
        config = (struct tiers_config){
                .l1 = node->rig.l1,
                .source = fake_source_as_source(node->rig.fake),
                .freshness = node->rig.freshness,
                .ttl_default = nanos_ms(30000),
                .fills_max = 100,
                .clock = clock_boot,
        };
        assert_ok(tiers_create(&node->rig.tiers, &config));
        for (int i = 0; i < WORKERS; i++) {
                workers[i] = (struct worker){.node = node, .base = event_base_new(), .random = (uint64_t)i};
                assert_ok(reader_create(&workers[i].reader, node->rig.tiers, workers[i].base));
        }
}

static void every_read_sees_what_was_acknowledged_before_it(void **state)
{
        struct node node = {.readers_done = false};
        struct worker workers[WORKERS];
        pthread_t threads[WORKERS];
        pthread_t writer;
        pthread_t source;

        (void)state;
        set_up(&node, workers);
        assert_int_equal(pthread_create(&writer, NULL, run_writer, &node), 0);
        assert_int_equal(pthread_create(&source, NULL, run_source, &node), 0);
        for (int i = 0; i < WORKERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, run_worker, &workers[i]), 0);
        for (int i = 0; i < WORKERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        atomic_store(&node.readers_done, true);
        assert_int_equal(pthread_join(writer, NULL), 0);
        assert_int_equal(pthread_join(source, NULL), 0);
        for (int i = 0; i < WORKERS; i++) {
                assert_int_equal(workers[i].finished, READS_EACH);
                reader_destroy(&workers[i].reader);
                event_base_free(workers[i].base);
        }
        rig_deinit(&node.rig);
}

static void on_counted(struct lookup *lookup)
{
        ++*(int *)lookup->context;
}

/* Two loops on one thread: whose fill it is makes no difference, who waits is answered on its own loop only. */
static void a_reader_is_answered_on_its_own_loop(void **state)
{
        struct event_base *base = event_base_new();
        struct reader *other;
        struct lookup mine;
        struct lookup theirs;
        struct rig rig;
        int done_mine = 0;
        int done_theirs = 0;

        (void)state;
        rig_init(&rig);
        assert_ok(reader_create(&other, rig.tiers, base));
        rig_write(&rig, "42", "peanut");
        mine = rig_lookup(&rig_allergies, "42");
        theirs = rig_lookup(&rig_allergies, "42");
        mine.context = &done_mine;
        theirs.context = &done_theirs;
        theirs.done = on_counted;
        assert_false(lookup_start(rig.reader, &mine));
        assert_false(lookup_start(other, &theirs));
        rig_tick(&rig);
        assert_int_equal(done_mine, 1);
        assert_int_equal(done_theirs, 0);
        assert_int_not_equal(event_base_loop(base, EVLOOP_NONBLOCK), -1);
        assert_int_equal(done_theirs, 1);
        assert_slice_is(theirs.value, "\"peanut\"");
        assert_int_equal(theirs.tier, TIER_JOINED);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        lookup_deinit(&mine);
        lookup_deinit(&theirs);
        reader_destroy(&other);
        event_base_free(base);
        rig_deinit(&rig);
}

/* A hundred keys wanted in one tick by many clients cost one round trip. */
static void a_tick_of_misses_is_one_round_trip(void **state)
{
        struct lookup lookups[200];
        char texts[200][16];
        struct rig rig;
        int done = 0;

        (void)state;
        rig_init(&rig);
        for (int i = 0; i < 200; i++) {
                (void)snprintf(texts[i], sizeof(texts[i]), "%d", i / 2); /* each key wanted twice */
                lookups[i] = rig_lookup(&rig_allergies, texts[i]);
                lookups[i].context = &done;
                assert_false(lookup_start(rig.reader, &lookups[i]));
        }
        rig_tick(&rig);
        assert_int_equal(done, 200);
        assert_int_equal(fake_source_batches(rig.fake), 1);
        assert_int_equal(fake_source_reads(rig.fake), 100);
        for (int i = 0; i < 200; i++)
                lookup_deinit(&lookups[i]);
        rig_deinit(&rig);
}

static enum err create(void *context)
{
        struct rig *rig = context;
        const struct tiers_config config = {.source = fake_source_as_source(rig->fake),
                .freshness = rig->freshness,
                .fills_max = 10,
                .clock = fake_clock};
        struct tiers *tiers;
        struct reader *reader = NULL;
        enum err rc = tiers_create(&tiers, &config);

        if (rc == OK)
                rc = reader_create(&reader, tiers, rig->base);
        reader_destroy(&reader);
        tiers_destroy(&tiers);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        each_allocation_fails(create, &rig);
        rig_deinit(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_read_sees_what_was_acknowledged_before_it),
                cmocka_unit_test(a_reader_is_answered_on_its_own_loop),
                cmocka_unit_test(a_tick_of_misses_is_one_round_trip),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
