#include "base/buf.h"
#include "tests/lib/test.h"

static void appends_and_consumes_in_order(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 0);
        assert_ok(buf_append_str(&b, "hello "));
        assert_ok(buf_printf(&b, "%s %d", "world", 42));
        assert_slice_is(buf_slice(&b), "hello world 42");
        buf_consume(&b, 6);
        assert_slice_is(buf_slice(&b), "world 42");
        buf_truncate(&b, 5);
        assert_slice_is(buf_slice(&b), "world");
        buf_consume(&b, 5);
        assert_int_equal(b.start, 0); /* all consumed: rewound */
        buf_deinit(&b);
}

static void never_passes_its_limit_and_keeps_what_it_had(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 10);
        assert_ok(buf_append_str(&b, "12345678"));
        assert_err(ERR_LIMIT, buf_append_str(&b, "abc"));
        assert_slice_is(buf_slice(&b), "12345678");
        assert_ok(buf_append_str(&b, "ab"));
        assert_err(ERR_LIMIT, buf_reserve(&b, SIZE_MAX));
        buf_consume(&b, 4); /* the limit is on what is readable, not on what went through */
        assert_ok(buf_append_str(&b, "wxyz"));
        assert_slice_is(buf_slice(&b), "5678abwxyz");
        buf_deinit(&b);
}

static void what_is_printed_fits_or_leaves_no_trace(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 600);
        assert_ok(buf_printf(&b, "%0510d", 7)); /* the first block has 512 bytes */
        assert_int_equal(b.cap, 512);
        assert_ok(buf_printf(&b, "%s", "abc"));
        assert_slice_is(slice_of(b.data + 509, 4), "7abc");
        assert_err(ERR_LIMIT, buf_printf(&b, "%0600d", 7));
        assert_int_equal(buf_len(&b), 513);
        for (size_t i = 513; i < 600; i++)
                assert_int_equal(b.data[i], 0);
        assert_ok(buf_printf(&b, "%086d", 7)); /* up to the limit, less the end that is written for it */
        assert_err(ERR_LIMIT, buf_printf(&b, "8"));
        buf_deinit(&b);
}

static void refuses_sizes_that_overflow(void **state)
{
        struct buf b;

        (void)state;
        buf_init(&b, 0);
        assert_ok(buf_append_str(&b, "x"));
        assert_err(ERR_NOMEM, buf_reserve(&b, SIZE_MAX));
        assert_err(ERR_NOMEM, buf_reserve(&b, SIZE_MAX / 2));
        assert_slice_is(buf_slice(&b), "x");
        buf_deinit(&b);
}

static void a_stream_through_it_does_not_grow_it(void **state)
{
        struct buf b;
        uint8_t chunk[300] = {0};

        (void)state;
        buf_init(&b, 0);
        for (int i = 0; i < 10000; i++) {
                assert_ok(buf_append(&b, chunk, sizeof(chunk)));
                if (i > 0)
                        buf_consume(&b, sizeof(chunk));
        }
        assert_true(b.cap <= 2048);
        buf_deinit(&b);
}

static void shrinks_to_what_it_should_keep(void **state)
{
        struct buf b;
        uint8_t chunk[5000] = {7};

        (void)state;
        buf_init(&b, 0);
        assert_ok(buf_append(&b, chunk, sizeof(chunk)));
        buf_shrink(&b, 1024);
        assert_int_equal(b.cap, 5000);
        buf_consume(&b, 4990);
        buf_shrink(&b, 1024);
        assert_int_equal(b.cap, 1024);
        assert_int_equal(buf_len(&b), 10);
        buf_consume(&b, 10);
        buf_shrink(&b, 0);
        assert_null(b.data);
        assert_ok(buf_append_str(&b, "again"));
        buf_deinit(&b);
}

static enum err grow(void *context)
{
        struct buf b;
        enum err rc;

        (void)context;
        buf_init(&b, 0);
        rc = buf_append_str(&b, "a");
        if (rc == OK)
                rc = buf_reserve(&b, 100000);
        buf_deinit(&b);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails(grow, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(appends_and_consumes_in_order),
                cmocka_unit_test(never_passes_its_limit_and_keeps_what_it_had),
                cmocka_unit_test(what_is_printed_fits_or_leaves_no_trace),
                cmocka_unit_test(refuses_sizes_that_overflow),
                cmocka_unit_test(a_stream_through_it_does_not_grow_it),
                cmocka_unit_test(shrinks_to_what_it_should_keep),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
