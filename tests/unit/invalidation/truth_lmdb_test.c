#include "invalidation/truth_lmdb.h"

#include "monitoring/counters.h"
#include "tests/lib/test.h"

enum { DEF = 3, EPOCH = 77 };
static const uint64_t tag = 1;
static const struct nanos now = {5000};

static struct freshness *f;
static struct source_hooks hooks;

static int make(void **state)
{
        const struct freshness_config config = {.slots = 64, .tag_seed = 5, .always_certain = true};

        (void)state;
        if (freshness_create(&f, &config) != OK)
                return -1;
        hooks = truth_lmdb_hooks(f, EPOCH);
        return 0;
}

static int unmake(void **state)
{
        (void)state;
        freshness_destroy(&f);
        return 0;
}

/* The verdict of the strictest bound on an entry that was read in transaction `txn`. */
static enum verdict check(uint64_t txn)
{
        const struct snapshot snapshot = snapshot_of_txn(txn);
        const uint32_t slot = freshness_slot_of(f, tag);
        const struct stamp stamp = {
                .epoch = hooks.epoch,
                .def = DEF,
                .as_of = freshness_as_of(f, hooks.epoch, &snapshot),
                .expires = NANOS_NEVER,
                .tag_count = 1,
                .tags = &slot,
        };

        return freshness_check(f, &stamp, DEF, NANOS_ZERO, now);
}

static void nothing_is_fresh_before_the_environment_is_open(void **state)
{
        (void)state;
        assert_int_not_equal(check(9), VERDICT_FRESH);
        hooks.opened(hooks.context, hooks.epoch, (struct position){9});
        assert_int_equal(check(9), VERDICT_FRESH);
        assert_true(freshness_position(f).n == 9);
        assert_true(freshness_epoch(f) == EPOCH);
        assert_true(freshness_certificate_age(f, now).ns == 0);
        assert_true(hooks.tag_seed == 5);
}

static void a_commit_voids_what_was_read_before_it(void **state)
{
        const uint64_t touched = counter_read(COUNTER_tags_touched);

        (void)state;
        hooks.opened(hooks.context, hooks.epoch, (struct position){9});
        hooks.before(hooks.context, &tag, 1);
        assert_int_equal(check(9), VERDICT_POISONED);
        assert_int_equal(check(10), VERDICT_POISONED);
        assert_false(freshness_reached(f, EPOCH, 10));
        hooks.after(hooks.context, &tag, 1, (struct position){10});
        assert_int_equal(check(9), VERDICT_TOUCHED);
        assert_int_equal(check(10), VERDICT_FRESH);
        assert_true(freshness_reached(f, EPOCH, 10));
        assert_false(freshness_reached(f, EPOCH + 1, 10));
        assert_true(counter_read(COUNTER_tags_touched) == touched + 1);
}

static void an_aborted_commit_voids_nothing(void **state)
{
        (void)state;
        hooks.opened(hooks.context, hooks.epoch, (struct position){9});
        hooks.before(hooks.context, &tag, 1);
        hooks.aborted(hooks.context, &tag, 1);
        assert_int_equal(check(9), VERDICT_FRESH);
        assert_true(freshness_position(f).n == 9);
}

static void other_tags_answer_on(void **state)
{
        const uint64_t other = 2;

        (void)state;
        hooks.opened(hooks.context, hooks.epoch, (struct position){9});
        hooks.before(hooks.context, &other, 1);
        assert_int_equal(check(9), VERDICT_FRESH);
        hooks.after(hooks.context, &other, 1, (struct position){10});
        assert_int_equal(check(9), VERDICT_FRESH);
}

static void a_commit_of_unknown_outcome_stays_poisoned_until_a_later_touch(void **state)
{
        (void)state;
        hooks.opened(hooks.context, hooks.epoch, (struct position){9});
        hooks.before(hooks.context, &tag, 1);
        hooks.before(hooks.context, &tag, 1);
        hooks.aborted(hooks.context, &tag, 1);
        assert_int_equal(check(9), VERDICT_POISONED);
        hooks.before(hooks.context, &tag, 1);
        hooks.after(hooks.context, &tag, 1, (struct position){11});
        assert_int_equal(check(10), VERDICT_TOUCHED);
        assert_int_equal(check(11), VERDICT_FRESH);
}

#define WITH_F(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_F(nothing_is_fresh_before_the_environment_is_open),
                WITH_F(a_commit_voids_what_was_read_before_it),
                WITH_F(an_aborted_commit_voids_nothing),
                WITH_F(a_commit_of_unknown_outcome_stays_poisoned_until_a_later_touch),
                WITH_F(other_tags_answer_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
