#include "import/row_json.h"
#include "database/value_json.h"
#include "tests/lib/test.h"

static void check(const char *row_json, const char *expected)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct buf row;
        struct buf line;

        buf_init(&row, 0);
        buf_init(&line, 0);
        assert_ok(value_from_json(slice_str(row_json), &limits, &row, NULL));
        assert_ok(buf_append_str(&line, "before|"));
        assert_ok(row_json_put("allergies", buf_slice(&row), &line));
        buf_consume(&line, strlen("before|"));
        assert_slice_is(buf_slice(&line), expected);
        buf_deinit(&row);
        buf_deinit(&line);
}

static void a_row_is_a_line_with_its_original_embedded(void **state)
{
        (void)state;
        check("{}", "{\"table\":\"allergies\",\"row\":{}}");
        check("{\"student\":\"4\\n2\",\"id\":\"7\",\"n\":[1,2.5,null]}",
                "{\"table\":\"allergies\",\"row\":{\"student\":\"4\\n2\",\"id\":\"7\",\"n\":[1,2.5,null]}}");
        check("{\"id\":\"7\",\"resource\":\"{\\\"dose\\\":1.50}\"}",
                "{\"table\":\"allergies\",\"row\":{\"id\":\"7\",\"resource\":{\"dose\":1.50}}}");
        check("{\"resource\":\"of the school\",\"other\":\"{}\"}",
                "{\"table\":\"allergies\",\"row\":{\"resource\":\"of the school\",\"other\":\"{}\"}}");
}

static void what_is_no_row_leaves_nothing(void **state)
{
        static const struct slice rows[] = {{(const uint8_t *)"\xc0", 1}, {(const uint8_t *)"\x82\xa1xy", 4},
                {(const uint8_t *)"\x81\xa1x", 3}, {NULL, 0}};
        struct buf line;

        (void)state;
        buf_init(&line, 0);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_err(ERR_CORRUPT, row_json_put("allergies", rows[i], &line));
                assert_int_equal(buf_len(&line), 0);
        }
        buf_deinit(&line);
}

static enum err put(void *context)
{
        struct buf line;
        enum err rc;

        (void)context;
        buf_init(&line, 0);
        rc = row_json_put("allergies", slice_str("\x81\xa1x\xa1y"), &line);
        buf_deinit(&line);
        return rc;
}

static void failed_allocations_are_errors(void **state)
{
        (void)state;
        each_allocation_fails(put, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_row_is_a_line_with_its_original_embedded),
                cmocka_unit_test(what_is_no_row_leaves_nothing),
                cmocka_unit_test(failed_allocations_are_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
