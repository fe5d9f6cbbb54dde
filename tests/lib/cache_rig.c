#include "tests/lib/cache_rig.h"

#include <event2/event.h>

static const struct record_table students = {.name = "students", .index = 0};
static const struct record_table allergies = {.name = "allergies", .index = 1};
static const struct record_table *const reads_of_student[] = {&students};
static const struct record_table *const reads_of_allergies[] = {&allergies, &students};

const struct record_type rig_student = {
        .name = "student",
        .index = 0,
        .shape = RECORD_ONE,
        .def = 0x5701,
        .table = &students,
        .reads = reads_of_student,
        .read_count = 1,
};

const struct record_type rig_allergies = {
        .name = "allergies",
        .index = 1,
        .shape = RECORD_LIST,
        .allow_stale = true,
        .ttl_l1 = {60 * NANOS_PER_S},
        .def = 0xa11e,
        .table = &allergies,
        .reads = reads_of_allergies,
        .read_count = 2,
};

static void make(struct rig *rig, const struct freshness_config *truth)
{
        const struct l1_config memory = {1 << 20, 0, 4, "lru", 42};
        struct tiers_config tiers;

        fake_clock_set(nanos_ms(1000000));
        rig->touched_count = 0;
        rig->heartbeats = truth->heartbeats;
        rig->base = event_base_new();
        assert_non_null(rig->base);
        rig->fake = fake_source_create(RIG_EPOCH);
        assert_ok(freshness_create(&rig->freshness, truth));
        assert_ok(l1_create(&rig->l1, &memory, NULL));
        tiers = (struct tiers_config){
                .l1 = rig->l1,
                .source = fake_source_as_source(rig->fake),
                .freshness = rig->freshness,
                .ttl_default = nanos_ms(30000),
                .bound_default = nanos_ms(1000),
                .retry_within = nanos_ms(truth->always_certain ? 0 : 500),
                .seed = 5,
                .fills_max = RIG_FILLS_MAX,
                .clock = fake_clock,
        };
        assert_ok(tiers_create(&rig->tiers, &tiers));
        assert_ok(reader_create(&rig->reader, rig->tiers, rig->base));
}

void rig_init(struct rig *rig)
{
        make(rig, &(struct freshness_config){.slots = 1024, .tag_seed = 3, .always_certain = true});
        freshness_begin_epoch(rig->freshness, RIG_EPOCH, (struct position){1});
}

void rig_init_polled(struct rig *rig, bool heartbeats)
{
        make(rig, &(struct freshness_config){.slots = 1024, .tag_seed = 3, .polls_kept = 16, .heartbeats = heartbeats});
}

void rig_poll(struct rig *rig)
{
        const struct freshness_poll poll = {
                .number = freshness_poll_begin(rig->freshness),
                .epoch = RIG_EPOCH,
                .sent = fake_clock(),
                .snapshot = snapshot_of_txn(fake_source_advance(rig->fake)),
                .touched = rig->touched,
                .touched_count = rig->touched_count,
                .heartbeats = rig->heartbeats,
        };

        freshness_poll_end(rig->freshness, &poll);
        rig->touched_count = 0;
}

void rig_deinit(struct rig *rig)
{
        reader_destroy(&rig->reader);
        tiers_destroy(&rig->tiers);
        l1_destroy(&rig->l1);
        freshness_destroy(&rig->freshness);
        fake_source_destroy(&rig->fake);
        event_base_free(rig->base);
}

struct token rig_write(struct rig *rig, const char *id, const char *text)
{
        const struct tag tag = {.kind = TAG_STUDENT_TABLE, .id = slice_str(id), .table = slice_str("allergies")};
        uint64_t hash = tag_hash(&tag, freshness_tag_seed(rig->freshness));
        struct position position;

        if (!freshness_always_certain(rig->freshness)) {
                assert_true(rig->touched_count < sizeof(rig->touched) / sizeof(rig->touched[0]));
                rig->touched[rig->touched_count++] = hash;
                return (struct token){RIG_EPOCH, fake_source_write(rig->fake, id, text)};
        }
        freshness_poison(rig->freshness, &hash, 1);
        position.n = fake_source_write(rig->fake, id, text);
        freshness_touch(rig->freshness, &hash, 1, position);
        return (struct token){RIG_EPOCH, position.n};
}

static void count_done(struct lookup *lookup)
{
        if (lookup->context != NULL)
                ++*(int *)lookup->context;
}

struct lookup rig_lookup(const struct record_type *type, const char *id)
{
        return (struct lookup){
                .type = type,
                .id = slice_str(id),
                .format = FORMAT_JSON,
                .now = fake_clock(),
                .done = count_done,
        };
}

void rig_tick(struct rig *rig)
{
        assert_int_not_equal(event_base_loop(rig->base, EVLOOP_NONBLOCK), -1);
}

void rig_start_held(struct rig *rig, struct lookup *lookup, const char *id)
{
        fake_source_hold(rig->fake);
        *lookup = rig_lookup(&rig_allergies, id);
        assert_false(lookup_start(rig->reader, lookup));
        rig_tick(rig);
}

void rig_read(struct rig *rig, struct lookup *lookup)
{
        int done = 0;

        lookup->context = &done;
        if (lookup_start(rig->reader, lookup))
                return;
        rig_tick(rig);
        assert_int_equal(done, 1);
}

void rig_expect(struct rig *rig, const char *id, const char *json, enum tier tier)
{
        struct lookup lookup = rig_lookup(&rig_allergies, id);

        rig_read(rig, &lookup);
        assert_ok(lookup.status);
        assert_int_equal(lookup.found, json != NULL);
        assert_slice_is(lookup.value, json == NULL ? "" : json);
        assert_string_equal(lookup_tier_name(lookup.tier), lookup_tier_name(tier));
        assert_false(lookup.stale);
        lookup_deinit(&lookup);
}
