#include "cache/entry_table.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { MANY = 5000 };

static struct entry_home home;

static struct entry_table open_table(void)
{
        struct entry_table t;

        assert_ok(entry_home_init(&home, 1 << 20));
        assert_ok(entry_table_init(&t, &home));
        return t;
}

static void close_table(struct entry_table *t)
{
        entry_table_deinit(t);
        assert_int_equal(l1_arena_used(home.arena), 0);
        entry_home_deinit(&home);
}

/* An entry of that key, with a hash of the test's choice. */
static struct l1_entry *make_entry(struct slice key, uint32_t hash)
{
        const struct l1_view view = {.key = key, .found = true};
        struct entry_facts facts = {.hash = hash, .grow = true};
        struct l1_entry *e;

        assert_ok(origins_take(home.origins, (struct origin){1, 1}, &facts.origin));
        assert_ok(entry_create(&e, &home, &view, &facts));
        return e;
}

static uint32_t hash_of(int number)
{
        return (uint32_t)hash64(slice_of(&number, sizeof(number)), 7);
}

static struct l1_entry *make(int number)
{
        return make_entry(slice_of(&number, sizeof(number)), hash_of(number));
}

static bool has(const struct entry_table *t, int number)
{
        return entry_table_find(t, hash_of(number), slice_of(&number, sizeof(number))) != NULL;
}

static void take_out(struct entry_table *t, int number)
{
        struct l1_entry *e = entry_table_find(t, hash_of(number), slice_of(&number, sizeof(number)));

        assert_non_null(e);
        entry_table_remove(t, e);
        entry_release(&home, &e);
}

static void assert_holds(const struct entry_table *t, int from, int to)
{
        assert_int_equal(t->count, to - from);
        for (int i = 0; i < MANY; i++)
                assert_int_equal(has(t, i), i >= from && i < to);
}

static void finds_all_at_every_stage_of_growing_and_shrinking(void **state)
{
        struct entry_table t = open_table();

        (void)state;
        for (int i = 0; i < MANY; i++) {
                entry_table_insert(&t, make(i));
                if (i % 97 == 0) /* many of these stand in the middle of a move */
                        assert_holds(&t, 0, i + 1);
        }
        for (int i = 0; i < MANY; i++) {
                take_out(&t, i);
                if (i % 97 == 0)
                        assert_holds(&t, i + 1, MANY);
        }
        assert_int_equal(t.count, 0);
        close_table(&t);
}

static void one_change_moves_few_buckets(void **state)
{
        struct entry_table t = open_table();
        size_t moves_seen = 0;

        (void)state;
        for (int i = 0; i < MANY; i++) {
                size_t before = t.old.block == 0 ? 0 : t.moved;

                entry_table_insert(&t, make(i));
                if (t.old.block != 0 && t.moved > before) {
                        moves_seen++;
                        assert_in_range(t.moved - before, 1, 16);
                }
        }
        assert_true(moves_seen > 100);
        close_table(&t);
}

static void gives_memory_back_when_emptied(void **state)
{
        struct entry_table t = open_table();
        uint64_t empty = l1_arena_used(home.arena);

        (void)state;
        for (int i = 0; i < MANY; i++)
                entry_table_insert(&t, make(i));
        assert_true(l1_arena_used(home.arena) >= MANY * (sizeof(place_ref) + sizeof(struct l1_entry)));
        for (int i = 0; i < MANY; i++)
                take_out(&t, i);
        assert_true(l1_arena_used(home.arena) <= 8 * empty);
        close_table(&t);
}

static bool no_memory(void *context)
{
        (void)context;
        return false;
}

static void keeps_working_without_memory_to_grow(void **state)
{
        struct l1_entry *entries[200];
        struct entry_table t = open_table();
        uint64_t bytes;

        (void)state;
        for (int i = 0; i < 200; i++)
                entries[i] = make(i);
        bytes = l1_arena_used(home.arena);
        mem_set_gate(no_memory, NULL);
        for (int i = 0; i < 200; i++)
                entry_table_insert(&t, entries[i]);
        mem_set_gate(NULL, NULL);
        assert_int_equal(l1_arena_used(home.arena), bytes);
        assert_holds(&t, 0, 200);
        entry_table_insert(&t, make(200)); /* memory is back: so is growth */
        assert_true(t.now.mask >= 15);
        assert_holds(&t, 0, 201);
        close_table(&t);
}

static void tells_keys_of_equal_hash_apart(void **state)
{
        struct entry_table t = open_table();
        struct l1_entry *a = make_entry(slice_str("a"), 1);
        struct l1_entry *b = make_entry(slice_str("b"), 1);

        (void)state;
        entry_table_insert(&t, a);
        entry_table_insert(&t, b);
        assert_ptr_equal(entry_table_find(&t, 1, slice_str("a")), a);
        assert_ptr_equal(entry_table_find(&t, 1, slice_str("b")), b);
        assert_null(entry_table_find(&t, 1, slice_str("c")));
        close_table(&t);
}

/* Whenever it is asked for, while the table moves, or what it shows is gone. */
static void prefetching_changes_nothing(void **state)
{
        struct entry_table t = open_table();

        (void)state;
        for (int i = 0; i < MANY; i++) {
                entry_table_prefetch(&t, hash_of(i), false);
                entry_table_prefetch(&t, hash_of(i), true);
                entry_table_insert(&t, make(i));
        }
        assert_holds(&t, 0, MANY);
        for (int i = 0; i < MANY; i++) {
                take_out(&t, i);
                entry_table_prefetch(&t, hash_of(i), true);
        }
        close_table(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_all_at_every_stage_of_growing_and_shrinking),
                cmocka_unit_test(one_change_moves_few_buckets),
                cmocka_unit_test(gives_memory_back_when_emptied),
                cmocka_unit_test(keeps_working_without_memory_to_grow),
                cmocka_unit_test(tells_keys_of_equal_hash_apart),
                cmocka_unit_test(prefetching_changes_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
