/* What a polled source changes: copies that need a proof, checks of them, replicas, heartbeats. */
#include "cache/answer.h"

#include "monitoring/counters.h"
#include "tests/lib/cache_rig.h"

static const struct record_table students = {.name = "students", .index = 0};
static const struct record_table *const reads_of_students[] = {&students};
static const struct record_type strict_type = {
        .name = "strict",
        .index = 2,
        .shape = RECORD_ONE,
        .allow_stale = true,
        .has_bound = true,
        .def = 0x57,
        .table = &students,
        .reads = reads_of_students,
        .read_count = 1,
};

/* ---- helpers ---- */

static void expect(struct rig *rig, struct lookup lookup, const char *json, enum tier tier)
{
        rig_read(rig, &lookup);
        assert_ok(lookup.status);
        assert_int_equal(lookup.found, json != NULL);
        assert_slice_is(lookup.value, json == NULL ? "" : json);
        assert_string_equal(lookup_tier_name(lookup.tier), lookup_tier_name(tier));
        lookup_deinit(&lookup);
}

static void expect_failure(struct rig *rig, struct lookup lookup, enum err rc, const char *message)
{
        rig_read(rig, &lookup);
        assert_err(rc, lookup.status);
        assert_string_equal(lookup.message.text, message);
        lookup_deinit(&lookup);
}

static struct lookup after(const char *id, struct token token)
{
        struct lookup lookup = rig_lookup(&rig_allergies, id);

        lookup.has_after = true;
        lookup.after = token;
        return lookup;
}

/* ---- certificates and bounds ---- */

static void a_copy_answers_within_its_bound_of_a_poll(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        assert_int_equal(fake_source_asked(rig.fake).bound.ns, nanos_ms(1000).ns);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        fake_clock_advance(nanos_ms(999));
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        fake_clock_advance(nanos_ms(1));
        rig_expect(&rig, "42", "\"peanut\"", TIER_CHECKED); /* the certificate is as old as the bound */
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        rig_write(&rig, "42", "latex");
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1); /* what B allows */
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"latex\"", TIER_DATABASE);
        rig_deinit(&rig);
}

static void a_type_has_its_own_bound(void **state)
{
        struct record_type slow = strict_type;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        slow.bound = nanos_ms(5000);
        assert_int_equal(tiers_bound(rig.tiers, &rig_allergies).ns, nanos_ms(1000).ns);
        assert_int_equal(tiers_bound(rig.tiers, &slow).ns, nanos_ms(5000).ns);
        assert_int_equal(tiers_bound(rig.tiers, &strict_type).ns, 0);
        rig_poll(&rig);
        expect(&rig, rig_lookup(&slow, "42"), NULL, TIER_DATABASE);
        fake_clock_advance(nanos_ms(4999));
        expect(&rig, rig_lookup(&slow, "42"), NULL, TIER_L1);
        rig_deinit(&rig);
        rig_init(&rig); /* an embedded source is always certain */
        assert_int_equal(tiers_bound(rig.tiers, &slow).ns, 0);
        assert_int_equal(tiers_bound(rig.tiers, &rig_allergies).ns, 0);
        rig_deinit(&rig);
}

/* ---- "not modified" ---- */

static void a_strict_read_asks_whether_its_copy_is_unmodified(void **state)
{
        uint64_t unmodified = counter_read(COUNTER_fills_unmodified);
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        expect(&rig, rig_lookup(&strict_type, "42"), "\"peanut\"", TIER_DATABASE);
        assert_false(fake_source_asked(rig.fake).known);
        expect(&rig, rig_lookup(&strict_type, "42"), "\"peanut\"", TIER_CHECKED);
        expect(&rig, rig_lookup(&strict_type, "42"), "\"peanut\"", TIER_CHECKED);
        assert_int_equal(fake_source_checks(rig.fake), 2);
        assert_int_equal(counter_read(COUNTER_fills_unmodified) - unmodified, 2);
        rig_write(&rig, "42", "latex"); /* not polled yet: the check finds it */
        expect(&rig, rig_lookup(&strict_type, "42"), "\"latex\"", TIER_DATABASE);
        assert_true(fake_source_asked(rig.fake).known);
        expect(&rig, rig_lookup(&strict_type, "7"), NULL, TIER_DATABASE);
        expect(&rig, rig_lookup(&strict_type, "7"), NULL, TIER_CHECKED); /* nobody is a copy, too */
        rig_deinit(&rig);
}

static void a_check_proves_a_copy_and_does_not_lengthen_its_life(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        fake_clock_advance(nanos_ms(59000)); /* of 60 s */
        rig_poll(&rig);
        fake_clock_advance(nanos_ms(1000));
        /* a copy that no read may have any more is not asked about */
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        assert_int_equal(fake_source_checks(rig.fake), 0);
        fake_clock_advance(nanos_ms(59999));
        rig_expect(&rig, "42", "\"peanut\"", TIER_CHECKED);
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        fake_clock_advance(nanos_ms(1));
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

/* A check renews what the copy is known to contain: an older touch in one of its slots no longer voids it. */
static void a_check_renews_the_copys_position(void **state)
{
        struct lookup_explain before;
        struct lookup_explain now;
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        lookup = rig_lookup(&rig_allergies, "42");
        lookup_explain(rig.tiers, &lookup, &before);
        rig_poll(&rig);
        fake_clock_advance(nanos_ms(1000));
        rig_expect(&rig, "42", "\"peanut\"", TIER_CHECKED);
        lookup = rig_lookup(&rig_allergies, "42");
        lookup_explain(rig.tiers, &lookup, &now);
        assert_int_equal(now.as_of.n, before.as_of.n + 1);
        assert_int_equal(now.age.ns, 0);
        assert_int_equal(now.expires_in.ns, before.expires_in.ns - nanos_ms(1000).ns);
        rig_deinit(&rig);
}

/* The copy that is asked about is of one format: who wants the other reads for himself. */
static void another_format_does_not_wait_for_a_check(void **state)
{
        struct lookup json;
        struct lookup msgpack;
        struct rig rig;
        int done = 0;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        expect(&rig, rig_lookup(&strict_type, "42"), "\"peanut\"", TIER_DATABASE);
        json = rig_lookup(&strict_type, "42");
        msgpack = rig_lookup(&strict_type, "42");
        msgpack.format = FORMAT_MSGPACK;
        json.context = msgpack.context = &done;
        assert_false(lookup_start(rig.reader, &json));
        assert_false(lookup_start(rig.reader, &msgpack));
        rig_tick(&rig);
        assert_int_equal(done, 2);
        assert_int_equal(json.tier, TIER_CHECKED);
        assert_slice_is(json.value, "\"peanut\"");
        assert_int_equal(msgpack.tier, TIER_DATABASE);
        assert_slice_is(msgpack.value, "\xa6peanut");
        lookup_deinit(&json);
        lookup_deinit(&msgpack);
        rig_deinit(&rig);
}

/* A copy kept for a check is no stale answer for who did not ask for one. */
static void a_copy_that_cannot_be_checked_is_not_served(void **state)
{
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        fake_clock_advance(nanos_ms(1500));
        fake_source_fail(rig.fake, ERR_IO);
        expect_failure(&rig, rig_lookup(&rig_allergies, "42"), ERR_UNAVAILABLE,
                "the database cannot answer now: input/output failed");
        lookup = rig_lookup(&rig_allergies, "42");
        lookup.allow_stale = true;
        rig_read(&rig, &lookup);
        assert_ok(lookup.status);
        assert_true(lookup.stale);
        assert_int_equal(lookup.age.ns, nanos_ms(1500).ns);
        lookup_deinit(&lookup);
        rig_deinit(&rig);
}

/* ---- what is not to be cached, or not for long ---- */

static void what_the_source_says_lives_no_longer(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        fake_source_set_lives(rig.fake, nanos_ms(300));
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        fake_clock_advance(nanos_ms(299));
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        fake_clock_advance(nanos_ms(1));
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

/* A composite of which a part failed is of no history: answered, and read again. */
static void what_is_of_no_history_is_answered_and_not_kept(void **state)
{
        struct l1_usage usage;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        fake_source_set_epoch(rig.fake, EPOCH_NONE);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        l1_usage(rig.l1, &usage);
        assert_int_equal(usage.entries, 0);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        rig_deinit(&rig);
}

static void an_id_of_another_form_is_refused_with_the_right_one(void **state)
{
        uint64_t failed = counter_read(COUNTER_fills_failed);
        struct lookup lookup;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_poll(&rig);
        fake_source_fail(rig.fake, ERR_BADKEY);
        lookup = rig_lookup(&rig_allergies, "042");
        lookup.allow_stale = true;
        expect_failure(&rig, lookup, ERR_BADKEY, "042 is not the form of it");
        assert_int_equal(counter_read(COUNTER_fills_failed), failed);
        rig_deinit(&rig);
}

/* ---- replicas ---- */

static void a_replica_that_lags_is_asked_once_and_then_the_primary(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        fake_source_lag(rig.fake);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE); /* as good as the primary's: nothing was touched since */
        assert_false(fake_source_asked(rig.fake).primary_only);
        assert_int_equal(fake_source_reads(rig.fake), 1);
        rig_write(&rig, "42", "latex");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"latex\"", TIER_DATABASE);
        assert_true(fake_source_asked(rig.fake).primary_only);
        assert_int_equal(fake_source_reads(rig.fake), 3);
        rig_expect(&rig, "42", "\"latex\"", TIER_L1);
        rig_deinit(&rig);
}

/* Without a certificate nothing that a replica says can be proved, whenever it was asked. */
static void a_replica_answers_nothing_without_a_certificate(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        fake_source_lag(rig.fake);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        assert_true(fake_source_asked(rig.fake).primary_only);
        rig_deinit(&rig);
}

static void a_copy_that_a_replica_gave_answers_no_read_after_a_write(void **state)
{
        struct token token;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        token = rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        fake_source_lag(rig.fake);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE); /* of the replica */
        rig_expect(&rig, "42", "\"peanut\"", TIER_L1);
        expect(&rig, after("42", token), "\"peanut\"", TIER_CHECKED);
        assert_true(fake_source_asked(rig.fake).primary_only);
        expect(&rig, after("42", token), "\"peanut\"", TIER_L1); /* what was checked is the primary's */
        rig_deinit(&rig);
}

static void the_state_after_a_write_is_asked_of_the_primary(void **state)
{
        struct token token;
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, false);
        rig_write(&rig, "42", "peanut");
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        fake_source_lag(rig.fake);
        token = rig_write(&rig, "42", "latex");
        expect(&rig, after("42", token), "\"latex\"",
                TIER_DATABASE); /* the entry is fresh still, and has not seen it */
        assert_true(fake_source_asked(rig.fake).primary_only);
        assert_int_equal(fake_source_reads(rig.fake), 2);
        expect(&rig, after("42", token), "\"latex\"", TIER_L1); /* its own snapshot has it, though no poll has */
        rig_poll(&rig);
        expect(&rig, after("43", token), NULL, TIER_DATABASE);
        token.n += 100;
        expect_failure(&rig, after("42", token), ERR_UNAVAILABLE,
                "the database cannot answer now: it has not reached the state that AFTER asks for");
        rig_deinit(&rig);
}

/* ---- heartbeats ---- */

static const char unproved[] = "the database cannot answer now: who answered cannot prove to be the primary";

static void with_heartbeats_a_fill_answers_only_with_proof_of_the_primary(void **state)
{
        struct rig rig;

        (void)state;
        rig_init_polled(&rig, true);
        rig_write(&rig, "42", "peanut");
        expect_failure(&rig, rig_lookup(&rig_allergies, "42"), ERR_UNAVAILABLE, unproved);
        rig_poll(&rig);
        rig_expect(&rig, "42", "\"peanut\"", TIER_DATABASE);
        fake_clock_advance(nanos_ms(1000));
        expect_failure(&rig, rig_lookup(&rig_allergies, "42"), ERR_UNAVAILABLE, unproved);
        expect_failure(&rig, rig_lookup(&strict_type, "42"), ERR_UNAVAILABLE, unproved);
        fake_source_set_beaten(rig.fake, true);
        expect(&rig, rig_lookup(&strict_type, "42"), "\"peanut\"", TIER_CHECKED);
        rig_deinit(&rig);
}

/* ---- time ---- */

/* Starts a read of `id` that joins one which was sent before it; what that brings is touched meanwhile. */
static void join_what_is_outdated(struct rig *rig, struct lookup *first, struct lookup *second, int *done)
{
        rig_poll(rig);
        rig_start_held(rig, first, "42");
        fake_clock_advance(nanos_ms(1));
        *second = rig_lookup(&rig_allergies, "42");
        second->context = done;
        assert_false(lookup_start(rig->reader, second));
        rig_write(rig, "42", "latex");
        rig_poll(rig);
}

static void a_read_asks_again_only_while_it_has_time(void **state)
{
        static const struct {
                int64_t ms;
                const char *json;
        } rows[] = {{500, "\"latex\""}, {501, NULL}};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                struct lookup first;
                struct lookup second;
                struct rig rig;
                int done = 0;

                rig_init_polled(&rig, false);
                rig_write(&rig, "42", "peanut");
                join_what_is_outdated(&rig, &first, &second, &done);
                fake_clock_advance(nanos_ms(rows[i].ms));
                fake_source_release(rig.fake);
                rig_tick(&rig);
                assert_int_equal(done, 1);
                assert_err(rows[i].json == NULL ? ERR_UNAVAILABLE : OK, second.status);
                assert_slice_is(second.value, rows[i].json == NULL ? "" : rows[i].json);
                lookup_deinit(&first);
                lookup_deinit(&second);
                rig_deinit(&rig);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_copy_answers_within_its_bound_of_a_poll),
                cmocka_unit_test(a_type_has_its_own_bound),
                cmocka_unit_test(a_strict_read_asks_whether_its_copy_is_unmodified),
                cmocka_unit_test(a_check_proves_a_copy_and_does_not_lengthen_its_life),
                cmocka_unit_test(a_check_renews_the_copys_position),
                cmocka_unit_test(another_format_does_not_wait_for_a_check),
                cmocka_unit_test(a_copy_that_cannot_be_checked_is_not_served),
                cmocka_unit_test(what_the_source_says_lives_no_longer),
                cmocka_unit_test(what_is_of_no_history_is_answered_and_not_kept),
                cmocka_unit_test(an_id_of_another_form_is_refused_with_the_right_one),
                cmocka_unit_test(a_replica_that_lags_is_asked_once_and_then_the_primary),
                cmocka_unit_test(a_replica_answers_nothing_without_a_certificate),
                cmocka_unit_test(a_copy_that_a_replica_gave_answers_no_read_after_a_write),
                cmocka_unit_test(the_state_after_a_write_is_asked_of_the_primary),
                cmocka_unit_test(with_heartbeats_a_fill_answers_only_with_proof_of_the_primary),
                cmocka_unit_test(a_read_asks_again_only_while_it_has_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
