#include "cache/entry.h"
#include "tests/lib/test.h"

static struct entry_home home;

static int open_home(void **state)
{
        (void)state;
        return entry_home_init(&home, 1 << 20) == OK ? 0 : 1;
}

static int close_home(void **state)
{
        (void)state;
        assert_int_equal(l1_arena_used(home.arena), 0);
        entry_home_deinit(&home);
        return 0;
}

static struct l1_view small_view(void)
{
        return (struct l1_view){
                .key = slice_str("k"),
                .value = slice_str("v"),
                .found = true,
                .stamp = {.epoch = 1, .def = 1, .as_of = {5}},
        };
}

static struct l1_entry *make(const struct l1_view *view)
{
        struct entry_facts facts = {.hash = 9, .grow = true};
        struct l1_entry *e;

        assert_ok(origins_take(home.origins, (struct origin){view->stamp.epoch, view->stamp.def}, &facts.origin));
        assert_ok(entry_create(&e, &home, view, &facts));
        return e;
}

static void is_recognised_by_hash_and_key(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *e = make(&view);

        (void)state;
        assert_true(entry_is(e, 9, slice_str("k")));
        assert_false(entry_is(e, 8, slice_str("k")));
        assert_false(entry_is(e, 9, slice_str("kk")));
        assert_ptr_equal(entry_at(&home.places, entry_ref(&home.places, e)), e);
        entry_release(&home, &e);
        assert_null(e);
        entry_release(&home, &e);
}

static void newer_means_a_later_position_of_the_same_history_and_definition(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *old = make(&view);
        struct l1_entry *later;
        struct l1_entry *other;

        (void)state;
        view.stamp.as_of.n = 6;
        later = make(&view);
        view.stamp.def = 2;
        view.stamp.as_of.n = 7;
        other = make(&view);
        assert_true(entry_is_newer(later, entry_origin(old), old->as_of));
        assert_false(entry_is_newer(old, entry_origin(later), later->as_of));
        assert_false(entry_is_newer(old, entry_origin(old), old->as_of));
        assert_false(entry_is_newer(other, entry_origin(old), old->as_of));
        entry_release(&home, &old);
        entry_release(&home, &later);
        entry_release(&home, &other);
}

static void the_last_holder_frees(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *e = make(&view);
        struct l1_entry *again = e;

        (void)state;
        entry_hold(again);
        entry_release(&home, &e);
        assert_slice_is(entry_key(again), "k");
        entry_release(&home, &again);
        assert_int_equal(l1_arena_used(home.arena), 0);
}

static void a_part_too_long_for_its_field_has_no_size(void **state)
{
        struct l1_view view = small_view();

        (void)state;
        view.key.len = 2047;
        assert_true(entry_size_of(&home, &view) < SIZE_MAX);
        view.key.len++;
        assert_true(entry_size_of(&home, &view) == SIZE_MAX);
        view.key.len = 1;
        view.value.len = (size_t)UINT32_MAX + 1;
        assert_true(entry_size_of(&home, &view) == SIZE_MAX);
}

/* The goal: 48 bytes beside key, value, as_of and expires; with four of the table's, and four lost to rounding. */
static void the_header_is_small(void **state)
{
        struct l1_view view = small_view();
        struct l1_entry *e = make(&view);

        (void)state;
        assert_true(entry_size(e) - 2 - sizeof(e->as_of) - sizeof(e->expires) <= 40);
        assert_int_equal(place_weight(&home.places, entry_ref(&home.places, e)), l1_arena_used(home.arena));
        entry_release(&home, &e);
}

static struct nanos filled_as_kept(struct nanos filled, struct nanos expires)
{
        struct l1_view view = small_view();
        struct l1_entry *e;
        struct nanos back;

        view.filled = filled;
        view.stamp.expires = expires;
        e = make(&view);
        assert_int_equal(e->expires.ns, expires.ns);
        back = entry_view(&home, e).filled;
        entry_release(&home, &e);
        return back;
}

/* To the millisecond for 24 days, to a minute or so beyond; and never younger than it is. */
static void the_moment_of_filling_is_kept_or_an_earlier_one(void **state)
{
        static const int64_t spans[] = {0, 1, 999999, 1000000, 1000001, 60 * NANOS_PER_S, 86400 * NANOS_PER_S,
                25 * 86400 * NANOS_PER_S, 3650 * 86400 * NANOS_PER_S};
        const struct nanos filled = {123456789012345};

        (void)state;
        for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
                const struct nanos expires = {filled.ns + spans[i]};
                const struct nanos back = filled_as_kept(filled, expires);
                const int64_t most = spans[i] < 24 * 86400 * NANOS_PER_S ? NANOS_PER_MS - 1 : 66 * NANOS_PER_S;

                assert_in_range(filled.ns - back.ns, 0, most);
        }
        assert_true(filled_as_kept(filled, NANOS_NEVER).ns <= filled.ns);
        assert_true(filled_as_kept(NANOS_ZERO, NANOS_NEVER).ns <= 0);
        assert_int_equal(filled_as_kept(filled, nanos_ms(1)).ns, nanos_ms(1).ns); /* it had expired before */
}

static void what_a_fill_cost_is_kept_to_a_thousandth(void **state)
{
        struct l1_view view = small_view();

        (void)state;
        for (uint64_t micros = 0; micros <= UINT32_MAX; micros += micros / 3 + 1) {
                struct l1_entry *e;
                uint32_t back;

                view.fill_micros = (uint32_t)micros;
                e = make(&view);
                back = entry_view(&home, e).fill_micros;
                entry_release(&home, &e);
                assert_true(back <= micros && micros - back <= micros / 1000);
        }
}

static void a_snapshot_follows_the_value(void **state)
{
        const struct snapshot s = {.xmin = 10, .xmax = 20, .end = 20, .running = 2, .xip = {12, 17}};
        struct l1_view view = small_view();
        struct snapshot back;
        struct l1_entry *e;

        (void)state;
        e = make(&view);
        assert_false(entry_snapshot(e, &back));
        entry_release(&home, &e);
        view.snapshot = &s;
        e = make(&view);
        assert_true(entry_snapshot(e, &back));
        assert_int_equal(back.running, 2);
        assert_int_equal(back.xip[1], 17);
        assert_slice_is(entry_value(e), "v");
        entry_release(&home, &e);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_home, close_home)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(is_recognised_by_hash_and_key),
                TEST(newer_means_a_later_position_of_the_same_history_and_definition),
                TEST(the_last_holder_frees),
                TEST(a_part_too_long_for_its_field_has_no_size),
                TEST(the_header_is_small),
                TEST(the_moment_of_filling_is_kept_or_an_earlier_one),
                TEST(what_a_fill_cost_is_kept_to_a_thousandth),
                TEST(a_snapshot_follows_the_value),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
