#include "base/mem.h"

#include "tests/lib/test.h"

enum { SIZE = 3000 };

/* How many bytes of a block that has been freed still hold `mark`. The allocator itself writes over a few at its
 * beginning; the memory stays mapped, being amid the heap. */
static size_t left_of(const volatile uint8_t *freed, uint8_t mark)
{
        size_t count = 0;

        for (size_t i = 0; i < SIZE; i++)
                count += freed[i] == mark;
        return count;
}

static void what_is_freed_is_overwritten(void **state)
{
        volatile uintptr_t place; /* so that the compiler does not see a use after free, which this is */
        uint8_t *block;
        void *fence;

        (void)state;
        SKIP_WHEN_SANITIZED();
        block = vc_malloc(SIZE);
        fence = vc_malloc(SIZE);
        assert_non_null(block);
        memset(block, 0x5a, SIZE);
        place = (uintptr_t)block;
        vc_free(block);
        assert_int_equal(left_of((const uint8_t *)place, 0x5a), 0);
        vc_free(fence);
        vc_free(NULL);
}

static void a_block_that_moves_leaves_nothing_behind(void **state)
{
        volatile uintptr_t place;
        uint8_t *block;
        uint8_t *moved;
        void *fence;

        (void)state;
        SKIP_WHEN_SANITIZED();
        block = vc_malloc(SIZE);
        fence = vc_malloc(SIZE);
        assert_non_null(block);
        memset(block, 0x5a, SIZE);
        place = (uintptr_t)block;
        moved = vc_realloc(block, 20 * SIZE);
        assert_non_null(moved);
        assert_int_equal(left_of(moved, 0x5a), SIZE);
        assert_true((uintptr_t)moved != place);
        assert_int_equal(left_of((const uint8_t *)place, 0x5a), 0);
        vc_free(moved);
        vc_free(fence);
}

static void a_block_shrinks_where_that_frees_much(void **state)
{
        uint8_t *block = vc_realloc(NULL, 20 * SIZE);

        (void)state;
        assert_non_null(block);
        memset(block, 0x5a, 20 * SIZE);
        block = vc_realloc(block, SIZE);
        assert_non_null(block);
        assert_int_equal(left_of(block, 0x5a), SIZE);
        assert_true(vc_footprint(block) < 2 * SIZE);
        vc_free(block);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_freed_is_overwritten),
                cmocka_unit_test(a_block_that_moves_leaves_nothing_behind),
                cmocka_unit_test(a_block_shrinks_where_that_frees_much),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
