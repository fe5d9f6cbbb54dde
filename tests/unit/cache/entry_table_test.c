#include "cache/entry_table.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/lib/test.h"

enum { MANY = 5000 };

static uint32_t hash_of(int number)
{
        return (uint32_t)hash64(slice_of(&number, sizeof(number)), 7);
}

static struct l1_entry *make(int number)
{
        struct l1_view view = {.key = slice_of(&number, sizeof(number)), .found = true};
        struct l1_entry *e;

        assert_ok(entry_create(&e, &view, hash_of(number)));
        return e;
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
        entry_release(&e);
}

static void assert_holds(const struct entry_table *t, int from, int to)
{
        assert_int_equal(t->count, to - from);
        for (int i = 0; i < MANY; i++)
                assert_int_equal(has(t, i), i >= from && i < to);
}

static void finds_all_at_every_stage_of_growing_and_shrinking(void **state)
{
        struct entry_table t;

        (void)state;
        assert_ok(entry_table_init(&t));
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
        entry_table_deinit(&t);
}

static void one_change_moves_few_buckets(void **state)
{
        struct entry_table t;
        size_t moves_seen = 0;

        (void)state;
        assert_ok(entry_table_init(&t));
        for (int i = 0; i < MANY; i++) {
                size_t before = t.old.heads == NULL ? 0 : t.moved;

                entry_table_insert(&t, make(i));
                if (t.old.heads != NULL && t.moved > before) {
                        moves_seen++;
                        assert_in_range(t.moved - before, 1, 16);
                }
        }
        assert_true(moves_seen > 100);
        entry_table_deinit(&t);
}

static void gives_memory_back_when_emptied(void **state)
{
        struct entry_table t;
        size_t empty;

        (void)state;
        assert_ok(entry_table_init(&t));
        empty = t.bytes;
        for (int i = 0; i < MANY; i++)
                entry_table_insert(&t, make(i));
        assert_true(t.bytes >= MANY * sizeof(void *));
        for (int i = 0; i < MANY; i++)
                take_out(&t, i);
        assert_true(t.bytes <= 8 * empty);
        entry_table_deinit(&t);
        assert_int_equal(t.bytes, 0);
}

static bool no_memory(void *context)
{
        (void)context;
        return false;
}

static void keeps_working_without_memory_to_grow(void **state)
{
        struct l1_entry *entries[200];
        struct entry_table t;
        size_t bytes;

        (void)state;
        assert_ok(entry_table_init(&t));
        bytes = t.bytes;
        for (int i = 0; i < 200; i++)
                entries[i] = make(i);
        mem_set_gate(no_memory, NULL);
        for (int i = 0; i < 200; i++)
                entry_table_insert(&t, entries[i]);
        mem_set_gate(NULL, NULL);
        assert_int_equal(t.bytes, bytes);
        assert_holds(&t, 0, 200);
        entry_table_insert(&t, make(200)); /* memory is back: so is growth */
        assert_true(t.bytes > bytes);
        assert_holds(&t, 0, 201);
        entry_table_deinit(&t);
}

static void tells_keys_of_equal_hash_apart(void **state)
{
        struct l1_view a = {.key = slice_str("a")};
        struct l1_view b = {.key = slice_str("b")};
        struct l1_entry *ea;
        struct l1_entry *eb;
        struct entry_table t;

        (void)state;
        assert_ok(entry_table_init(&t));
        assert_ok(entry_create(&ea, &a, 1));
        assert_ok(entry_create(&eb, &b, 1));
        entry_table_insert(&t, ea);
        entry_table_insert(&t, eb);
        assert_ptr_equal(entry_table_find(&t, 1, a.key), ea);
        assert_ptr_equal(entry_table_find(&t, 1, b.key), eb);
        assert_null(entry_table_find(&t, 1, slice_str("c")));
        entry_table_deinit(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds_all_at_every_stage_of_growing_and_shrinking),
                cmocka_unit_test(one_change_moves_few_buckets),
                cmocka_unit_test(gives_memory_back_when_emptied),
                cmocka_unit_test(keeps_working_without_memory_to_grow),
                cmocka_unit_test(tells_keys_of_equal_hash_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
