#include "cli/import_merged.h"
#include "base/buf.h"
#include "database/value.h"
#include "tests/lib/test.h"

#include <stdio.h>

static enum err add(struct import_merged *merged, const char *from, const char *into)
{
        struct buf row;
        enum err rc;

        buf_init(&row, 0);
        rc = value_put_map(&row, 2);
        if (rc == OK)
                rc = value_put_member(&row, "student", slice_str(from));
        if (rc == OK)
                rc = value_put_member(&row, "into", slice_str(into));
        if (rc == OK)
                rc = import_merged_add(merged, buf_slice(&row));
        buf_deinit(&row);
        return rc;
}

static void chains_lead_to_their_end(void **state)
{
        struct import_merged *merged;
        const struct slice *ids;

        (void)state;
        assert_ok(import_merged_create(&merged, 1));
        assert_false(import_merged_is(merged, slice_str("a")));
        assert_slice_is(import_merged_root(merged, slice_str("a")), "a");
        assert_ok(add(merged, "a", "b"));
        assert_ok(add(merged, "b", "c"));
        assert_ok(add(merged, "d", "c"));
        assert_ok(add(merged, "a", "x")); /* is merged already */
        assert_slice_is(import_merged_root(merged, slice_str("a")), "c");
        assert_slice_is(import_merged_root(merged, slice_str("c")), "c");
        assert_true(import_merged_is(merged, slice_str("b")));
        assert_false(import_merged_is(merged, slice_str("c")));
        assert_ok(import_merged_list(merged));
        assert_int_equal(import_merged_into(merged, slice_str("c"), &ids), 3);
        assert_slice_is(ids[0], "a");
        assert_slice_is(ids[1], "b");
        assert_slice_is(ids[2], "d");
        assert_int_equal(import_merged_into(merged, slice_str("b"), &ids), 0);
        assert_int_equal(import_merged_into(merged, slice_str("z"), &ids), 0);
        import_merged_destroy(&merged);
        assert_null(merged);
}

static void a_circle_ends(void **state)
{
        struct import_merged *merged;

        (void)state;
        assert_ok(import_merged_create(&merged, 1));
        assert_ok(add(merged, "a", "b"));
        assert_ok(add(merged, "b", "a"));
        assert_int_equal(import_merged_root(merged, slice_str("a")).len, 1);
        assert_ok(import_merged_list(merged));
        import_merged_destroy(&merged);
}

static void thousands_are_found(void **state)
{
        enum { COUNT = 5000 };
        struct import_merged *merged;
        const struct slice *ids;
        char from[16];
        char into[16];

        (void)state;
        assert_ok(import_merged_create(&merged, 1));
        for (int i = 0; i < COUNT; i++) {
                (void)snprintf(from, sizeof(from), "a%d", i);
                (void)snprintf(into, sizeof(into), "b%d", i % 10);
                assert_ok(add(merged, from, into));
        }
        for (int i = 0; i < COUNT; i++) {
                (void)snprintf(from, sizeof(from), "a%d", i);
                (void)snprintf(into, sizeof(into), "b%d", i % 10);
                assert_slice_is(import_merged_root(merged, slice_str(from)), into);
        }
        assert_ok(import_merged_list(merged));
        assert_int_equal(import_merged_into(merged, slice_str("b3"), &ids), COUNT / 10);
        import_merged_destroy(&merged);
}

static void rows_that_say_no_merge_add_none(void **state)
{
        struct import_merged *merged;

        (void)state;
        assert_ok(import_merged_create(&merged, 1));
        assert_ok(import_merged_add(merged, slice_str("\x80")));
        assert_ok(import_merged_add(merged, slice_str("\xc0")));
        assert_ok(import_merged_add(merged, SLICE_EMPTY));
        assert_ok(import_merged_list(merged));
        import_merged_destroy(&merged);
}

static enum err use_it(void *context)
{
        struct import_merged *merged;
        enum err rc = import_merged_create(&merged, 1);

        (void)context;
        if (rc == OK)
                rc = add(merged, "a", "b");
        if (rc == OK)
                rc = import_merged_list(merged);
        import_merged_destroy(&merged);
        return rc;
}

static void failed_allocations_are_errors(void **state)
{
        (void)state;
        each_allocation_fails(use_it, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(chains_lead_to_their_end),
                cmocka_unit_test(a_circle_ends),
                cmocka_unit_test(thousands_are_found),
                cmocka_unit_test(rows_that_say_no_merge_add_none),
                cmocka_unit_test(failed_allocations_are_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
