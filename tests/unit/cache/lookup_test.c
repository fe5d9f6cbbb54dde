#include "cache/lookup.h"
#include "base/mem.h"
#include "monitoring/counters.h"
#include "tests/lib/cache_rig.h"

#include <stdio.h>

/* ---- the three answers, and where they come from ---- */

static void a_miss_reads_the_database_and_then_memory_answers(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        rig_deinit(&rig);
}

static void no_such_student_is_an_entry_too(void **state)
{
        struct rig rig;
        uint64_t negative = counter_read(COUNTER_l1_negative_hits);

        (void)state;
        rig_init(&rig);
        rig_expect(&rig, "43", NULL, TIER_DATABASE);
        rig_expect(&rig, "43", NULL, TIER_L1);
        assert_int_equal(counter_read(COUNTER_l1_negative_hits) - negative, 1);
        rig_write(&rig, "43", "latex");
        rig_expect(&rig, "43", "\"latex\"", TIER_DATABASE);
        rig_deinit(&rig);
}

static void a_failed_read_is_an_error_that_is_never_cached(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        fake_source_fail(rig.fake, ERR_IO);
        for (int i = 0; i < 2; i++) {
                lookup = rig_lookup(&rig_allergies, "42");
                rig_read(&rig, &lookup);
                assert_err(ERR_UNAVAILABLE, lookup.status);
                assert_string_equal(lookup.message.text, "the database cannot answer now: input/output failed");
                assert_int_equal(lookup.tier, TIER_NONE);
                assert_int_equal(lookup.value.len, 0);
                lookup_deinit(&lookup);
        }
        assert_int_equal(fake_source_reads(rig.fake), 2);
        fake_source_fail(rig.fake, OK);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

static void a_damaged_value_is_an_error_that_is_never_cached(void **state)
{
        struct lookup lookup = rig_lookup(&rig_allergies, "42");
        struct rig rig;
        struct l1_usage usage;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        fake_source_damage(rig.fake);
        rig_read(&rig, &lookup);
        assert_err(ERR_UNAVAILABLE, lookup.status);
        assert_string_equal(lookup.message.text, "the database cannot answer now: stored data is damaged");
        lookup_deinit(&lookup);
        l1_usage(rig.l1, &usage);
        assert_int_equal(usage.entries, 0);
        rig_deinit(&rig);
}

static void each_format_is_made_once_and_kept(void **state)
{
        struct lookup json;
        struct lookup msgpack;
        struct rig rig;
        int done = 0;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        json = rig_lookup(&rig_allergies, "42");
        msgpack = rig_lookup(&rig_allergies, "42");
        msgpack.format = FORMAT_MSGPACK;
        json.context = msgpack.context = &done;
        assert_false(lookup_start(rig.reader, &json));
        assert_false(lookup_start(rig.reader, &msgpack));
        rig_tick(&rig);
        assert_int_equal(done, 2);
        assert_slice_is(json.value, "\"peanut\"");
        assert_slice_is(msgpack.value, "\xa6peanut");
        lookup_deinit(&json);
        lookup_deinit(&msgpack);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        msgpack = rig_lookup(&rig_allergies, "42");
        msgpack.format = FORMAT_MSGPACK;
        rig_read(&rig, &msgpack);
        assert_slice_is(msgpack.value, "\xa6peanut");
        assert_int_equal(msgpack.tier, TIER_L1);
        lookup_deinit(&msgpack);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        rig_deinit(&rig);
}

/* ---- freshness ---- */

static void a_commit_voids_what_it_touched_and_nothing_else(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_write(&rig, "43", "latex");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_expect(&rig, "43", "\"latex\"", TIER_DATABASE);
        rig_write(&rig, "42", "none");
        rig_expect(&rig, "42", "\"none\"", TIER_DATABASE);
        rig_expect(&rig, "42", "\"none\"", TIER_L1);
        rig_expect(&rig, "43", "\"latex\"", TIER_L1);
        rig_deinit(&rig);
}

static void an_entry_lives_its_ttl_from_when_its_read_was_sent(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_start_held(&rig, &lookup, "42"); /* sent now */
        (void)fake_clock_advance(nanos_ms(10000));
        fake_source_release(rig.fake);
        lookup_deinit(&lookup);
        (void)fake_clock_advance(nanos_ms(49999));
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        (void)fake_clock_advance(nanos_ms(1));
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

static void while_a_commit_is_under_way_the_database_is_asked(void **state)
{
        const struct tag tag = {.kind = TAG_STUDENT, .id = slice_str("42")};
        struct rig rig;
        uint64_t hash;

        (void)state;
        rig_init(&rig);
        hash = tag_hash(&tag, freshness_tag_seed(rig.freshness));
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        freshness_poison(rig.freshness, &hash, 1);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE); /* again and again: never starved, never cached */
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        freshness_lift(rig.freshness, &hash, 1);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1); /* the first entry is as good as before */
        rig_deinit(&rig);
}

static void a_new_epoch_voids_everything(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        freshness_begin_epoch(rig.freshness, RIG_EPOCH + 1, (struct position){5});
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE); /* the source still reads the old history: not cached */
        rig_deinit(&rig);
}

/* The heart of single flight: A's read was sent, a commit is acknowledged, B asks: A's answer must not be B's. */
static void a_fill_sent_before_a_commit_does_not_answer_who_came_after_it(void **state)
{
        struct lookup before;
        struct lookup after;
        struct rig rig;
        int done = 0;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "none");
        fake_source_hold(rig.fake);
        before = rig_lookup(&rig_allergies, "42");
        before.context = &done;
        assert_false(lookup_start(rig.reader, &before));
        rig_tick(&rig); /* the source has read "none" */
        (void)fake_clock_advance(nanos_ms(1));
        rig_write(&rig, "42", "peanut");
        after = rig_lookup(&rig_allergies, "42");
        after.context = &done;
        assert_false(lookup_start(rig.reader, &after)); /* joins */
        rig_tick(&rig);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        fake_source_release(rig.fake);
        assert_int_equal(done, 1);
        assert_slice_is(before.value, "\"none\""); /* right for a read that began before the commit */
        assert_int_equal(before.tier, TIER_DATABASE);
        rig_tick(&rig);
        assert_int_equal(done, 2);
        assert_slice_is(after.value, "\"peanut\"");
        assert_int_equal(after.tier, TIER_DATABASE);
        assert_int_equal(fake_source_reads(rig.fake), 2);
        lookup_deinit(&before);
        lookup_deinit(&after);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        rig_deinit(&rig);
}

static void a_fill_sent_before_answers_who_came_after_it_when_nothing_was_touched(void **state)
{
        struct lookup first;
        struct lookup second;
        struct rig rig;
        int done = 0;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_start_held(&rig, &first, "42");
        (void)fake_clock_advance(nanos_ms(1));
        second = rig_lookup(&rig_allergies, "42");
        second.context = first.context = &done;
        assert_false(lookup_start(rig.reader, &second));
        fake_source_release(rig.fake);
        assert_int_equal(done, 2);
        assert_slice_is(second.value, "\"peanut\"");
        assert_int_equal(second.tier, TIER_JOINED);
        assert_int_equal(second.age.ns, nanos_ms(1).ns);
        assert_int_equal(first.age.ns, 0);
        lookup_deinit(&first);
        lookup_deinit(&second);
        rig_deinit(&rig);
}

/* A key that is touched all the time is answered all the same, each time by a read of its own. */
static void a_hot_key_never_starves(void **state)
{
        struct rig rig;
        char text[16];
        char json[20];

        (void)state;
        rig_init(&rig);
        for (int i = 0; i < 20; i++) {
                struct lookup lookup;
                int done = 0;

                (void)snprintf(text, sizeof(text), "v%d", i);
                (void)snprintf(json, sizeof(json), "\"v%d\"", i);
                rig_write(&rig, "42", text);
                fake_source_hold(rig.fake);
                lookup = rig_lookup(&rig_allergies, "42");
                lookup.context = &done;
                assert_false(lookup_start(rig.reader, &lookup));
                rig_tick(&rig);
                rig_write(&rig, "42", "later");
                fake_source_release(rig.fake);
                assert_int_equal(done, 1);
                assert_slice_is(lookup.value, json);
                lookup_deinit(&lookup);
        }
        rig_deinit(&rig);
}

/* ---- AFTER ---- */

static void after_is_met_by_an_untouched_entry_once_the_write_is_known(void **state)
{
        struct token token;
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        token = rig_write(&rig, "43", "latex"); /* newer than the entry, but nothing of it was touched */
        lookup = rig_lookup(&rig_allergies, "42");
        lookup.has_after = true;
        lookup.after = token;
        rig_read(&rig, &lookup);
        assert_ok(lookup.status);
        assert_int_equal(lookup.tier, TIER_L1);
        lookup_deinit(&lookup);
        rig_deinit(&rig);
}

static void after_a_write_that_is_not_known_yet_the_database_decides(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        lookup = rig_lookup(&rig_allergies, "42");
        lookup.has_after = true;
        lookup.after = (struct token){RIG_EPOCH, fake_source_advance(rig.fake)}; /* committed, not yet announced */
        rig_read(&rig, &lookup);
        assert_ok(lookup.status);
        assert_int_equal(lookup.tier, TIER_DATABASE);
        lookup_deinit(&lookup);
        lookup.after.n += 1; /* not even committed */
        rig_read(&rig, &lookup);
        assert_err(ERR_UNAVAILABLE, lookup.status);
        assert_string_equal(lookup.message.text,
                "the database cannot answer now: it has not reached the state that AFTER asks for");
        lookup_deinit(&lookup);
        rig_deinit(&rig);
}

/* ---- when the source cannot answer ---- */

static void stale_is_served_only_when_asked_for_and_labelled(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        (void)fake_clock_advance(nanos_ms(100000)); /* expired */
        fake_source_fail(rig.fake, ERR_IO);
        lookup = rig_lookup(&rig_allergies, "42");
        rig_read(&rig, &lookup);
        assert_err(ERR_UNAVAILABLE, lookup.status);
        lookup_deinit(&lookup);
        for (int i = 0; i < 2; i++) { /* as often as it takes: the outage may last */
                lookup = rig_lookup(&rig_allergies, "42");
                lookup.allow_stale = true;
                rig_read(&rig, &lookup);
                assert_ok(lookup.status);
                assert_true(lookup.stale);
                assert_slice_is(lookup.value, "\"peanut\"");
                assert_int_equal(lookup.tier, TIER_L1);
                assert_int_equal(lookup.age.ns, nanos_ms(100000).ns);
                lookup_deinit(&lookup);
        }
        fake_source_fail(rig.fake, OK);
        lookup = rig_lookup(&rig_allergies, "42");
        lookup.allow_stale = true; /* allowed, not needed */
        rig_read(&rig, &lookup);
        assert_false(lookup.stale);
        assert_int_equal(lookup.tier, TIER_DATABASE);
        lookup_deinit(&lookup);
        rig_deinit(&rig);
}

static void another_history_is_not_even_stale(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        freshness_begin_epoch(rig.freshness, RIG_EPOCH + 1, (struct position){5});
        fake_source_fail(rig.fake, ERR_IO);
        lookup = rig_lookup(&rig_allergies, "42");
        lookup.allow_stale = true;
        rig_read(&rig, &lookup);
        assert_err(ERR_UNAVAILABLE, lookup.status);
        lookup_deinit(&lookup);
        rig_deinit(&rig);
}

static void too_many_fills_make_reads_busy(void **state)
{
        struct lookup lookups[RIG_FILLS_MAX + 1];
        char ids[RIG_FILLS_MAX + 1][16];
        struct lookup *last = &lookups[RIG_FILLS_MAX];
        struct rig rig;

        (void)state;
        rig_init(&rig);
        for (int i = 0; i <= RIG_FILLS_MAX; i++) {
                (void)snprintf(ids[i], sizeof(ids[i]), "%d", i);
                lookups[i] = rig_lookup(&rig_allergies, ids[i]);
                lookups[i].allow_stale = true;
                assert_int_equal(lookup_start(rig.reader, &lookups[i]), i == RIG_FILLS_MAX);
        }
        assert_err(ERR_BUSY, last->status);
        rig_tick(&rig);
        for (int i = 0; i < RIG_FILLS_MAX; i++)
                lookup_deinit(&lookups[i]);
        *last = rig_lookup(&rig_allergies, ids[RIG_FILLS_MAX]);
        rig_read(&rig, last);
        assert_ok(last->status);
        lookup_deinit(last);
        rig_deinit(&rig);
}

static void works_without_l1(void **state)
{
        struct rig rig;
        struct tiers_config config;

        (void)state;
        rig_init(&rig);
        config = (struct tiers_config){
                .source = fake_source_as_source(rig.fake),
                .freshness = rig.freshness,
                .fills_max = 1,
                .clock = fake_clock,
        };
        reader_destroy(&rig.reader);
        tiers_destroy(&rig.tiers);
        assert_ok(tiers_create(&rig.tiers, &config));
        assert_ok(reader_create(&rig.reader, rig.tiers, rig.base));
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

/* ---- memory ---- */

static bool count_allocation(void *context)
{
        ++*(uint64_t *)context;
        return true;
}

static void hits_allocate_nothing(void **state)
{
        struct rig rig;
        uint64_t allocations = 0;

        (void)state;
        rig_init(&rig);
        rig_write(&rig, "42", "peanut");
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        mem_set_gate(count_allocation, &allocations);
        for (int i = 0; i < 100; i++)
                rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        mem_set_gate(NULL, NULL);
        assert_int_equal(allocations, 0);
        rig_deinit(&rig);
}

struct nth {
        int left;
};

static bool fail_from_nth(void *context)
{
        return ((struct nth *)context)->left-- > 0;
}

/* Whatever allocation is the first for which there is no memory, the read is answered: with the value if it could still
 * be made (entries that could not be stored do not matter), else with an error; never with silence or less than all. */
static void answers_whatever_allocation_fails(void **state)
{
        bool all_went_well = false;
        bool unstored_but_answered = false;

        (void)state;
        for (int n = 0; !all_went_well; n++) {
                struct nth nth = {n};
                uint64_t unstored = counter_read(COUNTER_l1_store_failures);
                struct lookup lookup;
                struct rig rig;

                rig_init(&rig);
                rig_write(&rig, "42", "peanut");
                lookup = rig_lookup(&rig_allergies, "42");
                mem_set_gate(fail_from_nth, &nth);
                rig_read(&rig, &lookup);
                mem_set_gate(NULL, NULL);
                if (lookup.status == OK)
                        assert_slice_is(lookup.value, "\"peanut\"");
                else
                        assert_err(ERR_UNAVAILABLE, lookup.status);
                unstored = counter_read(COUNTER_l1_store_failures) - unstored;
                unstored_but_answered = unstored_but_answered || (lookup.status == OK && unstored == 1);
                all_went_well = nth.left >= 0;
                lookup_deinit(&lookup);
                rig_deinit(&rig);
        }
        assert_true(unstored_but_answered);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_miss_reads_the_database_and_then_memory_answers),
                cmocka_unit_test(no_such_student_is_an_entry_too),
                cmocka_unit_test(a_failed_read_is_an_error_that_is_never_cached),
                cmocka_unit_test(a_damaged_value_is_an_error_that_is_never_cached),
                cmocka_unit_test(each_format_is_made_once_and_kept),
                cmocka_unit_test(a_commit_voids_what_it_touched_and_nothing_else),
                cmocka_unit_test(an_entry_lives_its_ttl_from_when_its_read_was_sent),
                cmocka_unit_test(while_a_commit_is_under_way_the_database_is_asked),
                cmocka_unit_test(a_new_epoch_voids_everything),
                cmocka_unit_test(a_fill_sent_before_a_commit_does_not_answer_who_came_after_it),
                cmocka_unit_test(a_fill_sent_before_answers_who_came_after_it_when_nothing_was_touched),
                cmocka_unit_test(a_hot_key_never_starves),
                cmocka_unit_test(after_is_met_by_an_untouched_entry_once_the_write_is_known),
                cmocka_unit_test(after_a_write_that_is_not_known_yet_the_database_decides),
                cmocka_unit_test(stale_is_served_only_when_asked_for_and_labelled),
                cmocka_unit_test(another_history_is_not_even_stale),
                cmocka_unit_test(too_many_fills_make_reads_busy),
                cmocka_unit_test(works_without_l1),
                cmocka_unit_test(hits_allocate_nothing),
                cmocka_unit_test(answers_whatever_allocation_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
