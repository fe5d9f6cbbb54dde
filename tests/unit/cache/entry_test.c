#include "cache/entry.h"
#include "tests/lib/test.h"

static struct l1_view small_view(void)
{
        return (struct l1_view){
                .key = slice_str("k"),
                .value = slice_str("v"),
                .found = true,
                .stamp = {.epoch = 1, .def = 1, .as_of = {5}},
        };
}

static void is_recognised_by_hash_and_key(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *e;

        (void)state;
        assert_ok(entry_create(&e, &view, 9));
        assert_true(entry_is(e, 9, slice_str("k")));
        assert_false(entry_is(e, 8, slice_str("k")));
        assert_false(entry_is(e, 9, slice_str("kk")));
        entry_release(&e);
        assert_null(e);
        entry_release(&e);
}

static void newer_means_a_later_position_of_the_same_history_and_definition(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *old;
        struct l1_entry *later;
        struct l1_entry *other;

        (void)state;
        assert_ok(entry_create(&old, &view, 9));
        view.stamp.as_of.n = 6;
        assert_ok(entry_create(&later, &view, 9));
        view.stamp.def = 2;
        view.stamp.as_of.n = 7;
        assert_ok(entry_create(&other, &view, 9));
        assert_true(entry_is_newer(later, old));
        assert_false(entry_is_newer(old, later));
        assert_false(entry_is_newer(old, old));
        assert_false(entry_is_newer(other, old));
        entry_release(&old);
        entry_release(&later);
        entry_release(&other);
}

static void the_last_holder_frees(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *e;
        struct l1_entry *again;

        (void)state;
        assert_ok(entry_create(&e, &view, 9));
        again = e;
        entry_hold(again);
        entry_release(&e);
        assert_slice_is(entry_key(again), "k");
        entry_release(&again);
}

static void a_key_too_long_for_its_field_is_refused(void **state)
{
        static uint8_t bytes[UINT16_MAX + 1];
        struct l1_view view = small_view();
        struct l1_entry *e;

        (void)state;
        view.key = slice_of(bytes, sizeof(bytes));
        assert_err(ERR_LIMIT, entry_create(&e, &view, 9));
        assert_null(e);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(is_recognised_by_hash_and_key),
                cmocka_unit_test(newer_means_a_later_position_of_the_same_history_and_definition),
                cmocka_unit_test(the_last_holder_frees),
                cmocka_unit_test(a_key_too_long_for_its_field_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
