/* A polled source's freshness; the embedded one's is tested through its hooks (truth_lmdb_test.c). */
#include "invalidation/freshness.h"

#include "tests/lib/test.h"

enum { DEF = 3, EPOCH = 77 };
static const struct nanos bound = {1000};

static struct freshness *f;

static int make(void **state)
{
        const struct freshness_config config = {.slots = 64, .polls_kept = 4, .tag_seed = 5};

        (void)state;
        return freshness_create(&f, &config) == OK ? 0 : -1;
}

static int unmake(void **state)
{
        (void)state;
        freshness_destroy(&f);
        return 0;
}

/* Polls at `sent`, when the newest transaction ended is xmax - 1 and `tag` (0: none) has been touched. */
static void poll(uint64_t epoch, int64_t sent, uint64_t xmax, uint64_t tag)
{
        struct freshness_poll p = {
                .number = freshness_poll_begin(f),
                .epoch = epoch,
                .sent = {sent},
                .snapshot = snapshot_of_primary(xmax, xmax, NULL, 0),
                .touched = &tag,
                .touched_count = tag != 0,
        };

        freshness_poll_end(f, &p);
}

/* The verdict on an entry of tag 1 that was read when the newest transaction ended was xmax - 1. */
static enum verdict check(uint64_t epoch, uint64_t xmax, int64_t now)
{
        const struct snapshot snapshot = snapshot_of_primary(xmax, xmax, NULL, 0);
        const uint32_t slot = freshness_slot_of(f, 1);
        const struct stamp stamp = {
                .epoch = epoch,
                .def = DEF,
                .as_of = freshness_as_of(f, epoch, &snapshot),
                .expires = NANOS_NEVER,
                .tag_count = 1,
                .tags = &slot,
        };

        return freshness_check(f, &stamp, DEF, bound, (struct nanos){now});
}

static void nothing_is_fresh_before_the_first_poll(void **state)
{
        (void)state;
        assert_int_equal(check(EPOCH, 10, 0), VERDICT_OTHER_EPOCH);
        assert_int_not_equal(check(EPOCH_NONE, 10, 0), VERDICT_FRESH);
        assert_true(freshness_certificate_age(f, (struct nanos){5}).ns == INT64_MAX);
        assert_true(freshness_epoch(f) == EPOCH_NONE);
        assert_null(freshness_last_poll(f, EPOCH));
}

static void an_entry_is_fresh_until_its_tag_is_touched(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_int_equal(check(EPOCH, 10, 200), VERDICT_FRESH);
        poll(EPOCH, 200, 20, 2);
        assert_int_equal(check(EPOCH, 10, 300), VERDICT_FRESH);
        poll(EPOCH, 300, 30, 1);
        assert_int_equal(check(EPOCH, 10, 400), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 29, 400), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 30, 400), VERDICT_FRESH);
        assert_true(freshness_position(f).n == 3);
}

static void the_certificate_counts_from_the_sending(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_int_equal(check(EPOCH, 10, 100 + bound.ns - 1), VERDICT_FRESH);
        assert_int_equal(check(EPOCH, 10, 100 + bound.ns), VERDICT_UNCERTIFIED);
        assert_true(freshness_certificate_age(f, (struct nanos){150}).ns == 50);
        assert_true(freshness_certificate_age(f, (struct nanos){50}).ns == 0);
}

static void entries_from_before_the_first_poll_do_not_answer(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_int_equal(check(EPOCH, 9, 101), VERDICT_TOUCHED);
}

static void another_history_voids_everything_once(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        poll(EPOCH + 1, 200, 5, 0); /* transaction ids start over */
        assert_int_equal(check(EPOCH, 10, 201), VERDICT_OTHER_EPOCH);
        assert_int_equal(check(EPOCH + 1, 4, 201), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH + 1, 5, 201), VERDICT_FRESH);
        assert_false(freshness_reached(f, EPOCH, 1));
        assert_false(freshness_reached(f, EPOCH + 1, 7));
}

static void the_next_poll_asks_for_what_the_last_one_did_not_contain(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_true(freshness_last_poll(f, EPOCH)->xmax == 10);
        (void)freshness_poll_begin(f); /* it fails: no end */
        assert_true(freshness_last_poll(f, EPOCH)->xmax == 10);
        assert_null(freshness_last_poll(f, EPOCH + 1));
}

static void a_hint_holds_until_the_next_poll_still_to_be_sent(void **state)
{
        const uint64_t tag = 1;
        struct freshness_poll under_way = {.epoch = EPOCH, .sent = {200}};

        (void)state;
        poll(EPOCH, 100, 10, 0);
        under_way.number = freshness_poll_begin(f);
        under_way.snapshot = snapshot_of_primary(10, 10, NULL, 0);
        freshness_hint(f, &tag, 1);
        assert_int_equal(check(EPOCH, 10, 201), VERDICT_TOUCHED);
        freshness_poll_end(f, &under_way);
        assert_int_equal(check(EPOCH, 11, 202), VERDICT_TOUCHED);
        poll(EPOCH, 300, 11, 1);
        assert_int_equal(check(EPOCH, 10, 301), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 11, 301), VERDICT_FRESH);
}

static void a_token_is_reached_when_a_poll_contains_it(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_true(freshness_reached(f, EPOCH, 9));
        assert_false(freshness_reached(f, EPOCH, 10));
        poll(EPOCH, 200, 11, 1);
        assert_true(freshness_reached(f, EPOCH, 10));
}

static void a_snapshot_older_than_the_polls_kept_has_no_position(void **state)
{
        const struct snapshot old = snapshot_of_primary(10, 10, NULL, 0);

        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_true(freshness_as_of(f, EPOCH, &old).n == 1);
        for (int i = 0; i < 4; i++)
                poll(EPOCH, 200 + i, (uint64_t)(20 + i), 0);
        assert_true(freshness_as_of(f, EPOCH, &old).n == 0);
        assert_int_equal(check(EPOCH, 10, 301), VERDICT_TOUCHED);
        assert_true(freshness_as_of(f, EPOCH + 1, &old).n == 0);
}

static void what_is_withheld_is_fresh_only_when_a_later_poll_finds_it_in_order(void **state)
{
        const uint64_t tag = 1;
        struct freshness_poll p = {.epoch = EPOCH, .sent = {100}, .withheld = &tag, .withheld_count = 1};

        (void)state;
        poll(EPOCH, 50, 10, 0);
        p.number = freshness_poll_begin(f);
        p.snapshot = snapshot_of_primary(20, 20, NULL, 0);
        freshness_poll_end(f, &p);
        assert_int_equal(check(EPOCH, 10, 101), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 20, 101), VERDICT_TOUCHED); /* not even what was read since */
        assert_int_equal(check(EPOCH, 99, 101), VERDICT_TOUCHED);
        p.number = freshness_poll_begin(f);
        freshness_poll_end(f, &p);
        assert_int_equal(check(EPOCH, 99, 102), VERDICT_TOUCHED);
        poll(EPOCH, 200, 30, 0);
        assert_int_equal(check(EPOCH, 29, 201), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 30, 201), VERDICT_FRESH);
}

static void after_a_gap_the_same_history_begins_anew(void **state)
{
        struct freshness_poll p = {.epoch = EPOCH, .sent = {200}, .gap = true};

        (void)state;
        poll(EPOCH, 100, 10, 0);
        assert_int_equal(check(EPOCH, 10, 101), VERDICT_FRESH);
        p.number = freshness_poll_begin(f);
        p.snapshot = snapshot_of_primary(20, 20, NULL, 0);
        freshness_poll_end(f, &p);
        assert_int_equal(check(EPOCH, 10, 201), VERDICT_TOUCHED);
        assert_int_equal(check(EPOCH, 20, 201), VERDICT_FRESH);
        assert_true(freshness_epoch(f) == EPOCH);
        assert_true(freshness_last_poll(f, EPOCH)->xmax == 20);
}

static void without_synchronous_replicas_the_primary_needs_no_proof(void **state)
{
        (void)state;
        assert_true(freshness_primary_proved(f, EPOCH, bound, NANOS_ZERO));
        poll(EPOCH, 100, 10, 0);
        assert_true(freshness_primary_proved(f, EPOCH + 1, NANOS_ZERO, (struct nanos){INT64_MAX}));
}

static void a_heartbeat_proves_the_primary_of_its_history_for_a_bound(void **state)
{
        struct freshness_poll p = {.epoch = EPOCH, .sent = {100}, .heartbeats = true};

        (void)state;
        p.number = freshness_poll_begin(f);
        p.snapshot = snapshot_of_primary(10, 10, NULL, 0);
        freshness_poll_end(f, &p);
        assert_true(freshness_primary_proved(f, EPOCH, bound, (struct nanos){100 + bound.ns - 1}));
        assert_false(freshness_primary_proved(f, EPOCH, bound, (struct nanos){100 + bound.ns}));
        assert_false(freshness_primary_proved(f, EPOCH, NANOS_ZERO, (struct nanos){100}));
        assert_false(freshness_primary_proved(f, EPOCH + 1, bound, (struct nanos){101}));
        poll(EPOCH, 200, 20, 0); /* the replicas are no longer waited for */
        assert_true(freshness_primary_proved(f, EPOCH, NANOS_ZERO, (struct nanos){INT64_MAX}));
}

static void proof_is_needed_as_soon_as_the_source_says_so(void **state)
{
        (void)state;
        poll(EPOCH, 100, 10, 0);
        freshness_set_heartbeats(f, true);
        assert_false(freshness_primary_proved(f, EPOCH, NANOS_ZERO, (struct nanos){101}));
        assert_false(freshness_primary_proved(f, EPOCH + 1, bound, (struct nanos){101}));
        freshness_set_heartbeats(f, false);
        assert_true(freshness_primary_proved(f, EPOCH, NANOS_ZERO, (struct nanos){101}));
}

static void till_the_first_poll_the_configuration_says_whether_proof_is_needed(void **state)
{
        const struct freshness_config config = {.slots = 4, .polls_kept = 1, .heartbeats = true};
        struct freshness *one;

        (void)state;
        assert_ok(freshness_create(&one, &config));
        assert_false(freshness_primary_proved(one, EPOCH, bound, NANOS_ZERO));
        freshness_destroy(&one);
}

static enum err create_one(void *context)
{
        const struct freshness_config config = {.slots = 4, .polls_kept = 1};
        struct freshness *one;
        enum err rc = freshness_create(&one, &config);

        (void)context;
        freshness_destroy(&one);
        return rc;
}

static void want_of_memory_is_an_error(void **state)
{
        (void)state;
        each_allocation_fails(create_one, NULL);
}

#define WITH_F(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_F(nothing_is_fresh_before_the_first_poll),
                WITH_F(an_entry_is_fresh_until_its_tag_is_touched),
                WITH_F(the_certificate_counts_from_the_sending),
                WITH_F(entries_from_before_the_first_poll_do_not_answer),
                WITH_F(another_history_voids_everything_once),
                WITH_F(the_next_poll_asks_for_what_the_last_one_did_not_contain),
                WITH_F(a_hint_holds_until_the_next_poll_still_to_be_sent),
                WITH_F(a_token_is_reached_when_a_poll_contains_it),
                WITH_F(a_snapshot_older_than_the_polls_kept_has_no_position),
                WITH_F(what_is_withheld_is_fresh_only_when_a_later_poll_finds_it_in_order),
                WITH_F(after_a_gap_the_same_history_begins_anew),
                WITH_F(without_synchronous_replicas_the_primary_needs_no_proof),
                WITH_F(proof_is_needed_as_soon_as_the_source_says_so),
                WITH_F(a_heartbeat_proves_the_primary_of_its_history_for_a_bound),
                cmocka_unit_test(till_the_first_poll_the_configuration_says_whether_proof_is_needed),
                cmocka_unit_test(want_of_memory_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
