#include "base/arena.h"

#include "tests/lib/test.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
        uint8_t *pieces[200];
        struct arena arena;

        (void)state;
        arena_init(&arena);
        for (size_t i = 0; i < 200; i++) {
                size_t size = i * 7 % 300 + 1;

                pieces[i] = arena_alloc(&arena, size);
                assert_non_null(pieces[i]);
                assert_int_equal((uintptr_t)pieces[i] % 16, 0);
                for (size_t k = 0; k < size; k++)
                        assert_int_equal(pieces[i][k], 0);
                memset(pieces[i], (int)i, size);
        }
        for (size_t i = 0; i < 200; i++)
                assert_int_equal(pieces[i][i * 7 % 300], (uint8_t)i);
        arena_deinit(&arena);
}

static void large_pieces_have_room(void **state)
{
        struct arena arena;
        uint8_t *large;

        (void)state;
        arena_init(&arena);
        assert_non_null(arena_alloc(&arena, 10));
        large = arena_alloc(&arena, 1 << 20);
        assert_non_null(large);
        memset(large, 0xff, 1 << 20);
        assert_non_null(arena_alloc(&arena, 10));
        arena_deinit(&arena);
        arena_deinit(&arena);
}

static void texts_are_copied_with_their_end(void **state)
{
        struct arena arena;

        (void)state;
        arena_init(&arena);
        assert_string_equal(arena_text(&arena, slice_of("abcdef", 3)), "abc");
        assert_string_equal(arena_text(&arena, SLICE_EMPTY), "");
        arena_deinit(&arena);
}

static void impossible_sizes_are_no_memory(void **state)
{
        struct arena arena;

        (void)state;
        arena_init(&arena);
        assert_null(arena_alloc(&arena, SIZE_MAX));
        assert_null(arena_alloc(&arena, SIZE_MAX - 20));
        assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
        assert_non_null(arena_array(&arena, 3, 0));
        arena_deinit(&arena);
}

static enum err take_three(void *context)
{
        struct arena arena;
        bool ok;

        (void)context;
        arena_init(&arena);
        ok = arena_alloc(&arena, 8) != NULL && arena_alloc(&arena, 5000) != NULL &&
             arena_text(&arena, slice_str("text")) != NULL;
        arena_deinit(&arena);
        return ok ? OK : ERR_NOMEM;
}

static void want_of_memory_is_told(void **state)
{
        (void)state;
        each_allocation_fails(take_three, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
                cmocka_unit_test(large_pieces_have_room),
                cmocka_unit_test(texts_are_copied_with_their_end),
                cmocka_unit_test(impossible_sizes_are_no_memory),
                cmocka_unit_test(want_of_memory_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
