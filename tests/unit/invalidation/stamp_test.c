#include "invalidation/stamp.h"

#include "invalidation/slots.h"
#include "tests/lib/test.h"

/* One fresh entry; each test spoils one thing. */
static const struct stamp stamp = {.epoch = 7, .def = 3, .as_of = {20}, .expires = {1000}};
static const struct known known = {.epoch = 7, .floor = {10}, .newest_touch = 20};
static const struct nanos now = {500};

static void what_contains_the_newest_touch_is_fresh(void **state)
{
        struct known touched_later = known;

        (void)state;
        assert_int_equal(stamp_judge(&stamp, 3, now, &known), VERDICT_FRESH);
        touched_later.newest_touch = 21;
        assert_int_equal(stamp_judge(&stamp, 3, now, &touched_later), VERDICT_TOUCHED);
}

static void poison_is_above_every_position(void **state)
{
        struct stamp newest = stamp;
        struct known poisoned = known;

        (void)state;
        newest.as_of.n = SLOT_POISON - 1;
        poisoned.newest_touch = SLOT_POISON;
        assert_int_equal(stamp_judge(&newest, 3, now, &poisoned), VERDICT_POISONED);
}

static void what_is_older_than_the_floor_counts_as_touched(void **state)
{
        struct known later = {.epoch = 7, .floor = {21}, .newest_touch = 0};

        (void)state;
        assert_int_equal(stamp_judge(&stamp, 3, now, &later), VERDICT_TOUCHED);
        later.floor.n = 20;
        assert_int_equal(stamp_judge(&stamp, 3, now, &later), VERDICT_FRESH);
}

static void other_definitions_and_histories_say_nothing_here(void **state)
{
        struct known other = known;

        (void)state;
        other.epoch = 8;
        assert_int_equal(stamp_judge(&stamp, 4, now, &known), VERDICT_OTHER_DEFINITION);
        assert_int_equal(stamp_judge(&stamp, 3, now, &other), VERDICT_OTHER_EPOCH);
}

static void at_its_expiry_an_entry_is_expired(void **state)
{
        (void)state;
        assert_int_equal(stamp_judge(&stamp, 3, (struct nanos){999}, &known), VERDICT_FRESH);
        assert_int_equal(stamp_judge(&stamp, 3, (struct nanos){1000}, &known), VERDICT_EXPIRED);
}

static void every_verdict_has_a_name_of_its_own(void **state)
{
        (void)state;
        for (unsigned i = 0; i < VERDICT_COUNT_; i++) {
                assert_non_null(verdict_name((enum verdict)i));
                for (unsigned j = 0; j < i; j++)
                        assert_string_not_equal(verdict_name((enum verdict)i), verdict_name((enum verdict)j));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_contains_the_newest_touch_is_fresh),
                cmocka_unit_test(poison_is_above_every_position),
                cmocka_unit_test(what_is_older_than_the_floor_counts_as_touched),
                cmocka_unit_test(other_definitions_and_histories_say_nothing_here),
                cmocka_unit_test(at_its_expiry_an_entry_is_expired),
                cmocka_unit_test(every_verdict_has_a_name_of_its_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
