#include "base/pool.h"
#include "tests/lib/test.h"

static void a_block_holds_what_its_user_writes(void **state)
{
        struct pool pool;
        uint8_t *a;
        uint8_t *b;

        (void)state;
        pool_init(&pool, 100, 4);
        a = pool_take(&pool);
        b = pool_take(&pool);
        assert_non_null(a);
        assert_non_null(b);
        memset(a, 1, 100);
        memset(b, 2, 100);
        assert_int_equal(a[99], 1);
        pool_give(&pool, a);
        assert_int_equal(b[0], 2);
        pool_give(&pool, b);
        pool_give(&pool, NULL);
        pool_deinit(&pool);
}

static void keeps_no_more_than_it_may(void **state)
{
        struct pool pool;
        void *blocks[8];

        (void)state;
        pool_init(&pool, 1, 3);
        for (int i = 0; i < 8; i++)
                assert_non_null(blocks[i] = pool_take(&pool));
        for (int i = 0; i < 8; i++)
                pool_give(&pool, blocks[i]);
        assert_true(pool.kept <= 3);
        for (int i = 0; i < 8; i++)
                assert_non_null(blocks[i] = pool_take(&pool));
        assert_int_equal(pool.kept, 0);
        for (int i = 0; i < 8; i++)
                pool_give(&pool, blocks[i]);
        pool_deinit(&pool);
        assert_int_equal(pool.kept, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_block_holds_what_its_user_writes),
                cmocka_unit_test(keeps_no_more_than_it_may),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
