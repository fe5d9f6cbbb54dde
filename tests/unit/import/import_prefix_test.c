#include "import/import_prefix.h"
#include "tests/lib/values.h"

static void expect(const char *table, const char *row, const char *prefix, const char *expected)
{
        struct buf in;
        struct buf out;

        buf_init(&in, 0);
        buf_init(&out, 0);
        append_json(&in, row);
        assert_ok(import_prefix_put(table, buf_slice(&in), slice_str(prefix), &out));
        assert_value_is(buf_slice(&out), expected);
        buf_deinit(&out);
        buf_deinit(&in);
}

static void whoever_is_named_gets_the_prefix(void **state)
{
        (void)state;
        expect("allergies", "{\"student\":\"7\",\"id\":\"a\",\"into\":\"b\"}", "N-",
                "{\"student\":\"N-7\",\"id\":\"a\",\"into\":\"b\"}");
        expect("students", "{\"student\":\"7\",\"id\":\"7\"}", "N-", "{\"student\":\"N-7\",\"id\":\"N-7\"}");
        expect("merges", "{\"student\":\"7\",\"id\":\"into\",\"into\":\"8\"}", "N-",
                "{\"student\":\"N-7\",\"id\":\"into\",\"into\":\"N-8\"}");
        expect("allergies", "{\"student\":7,\"x\":{\"student\":\"7\"}}", "N-",
                "{\"student\":7,\"x\":{\"student\":\"7\"}}");
        expect("allergies", "{\"student\":\"7\"}", "", "{\"student\":\"7\"}");
}

static void what_is_no_row_leaves_nothing(void **state)
{
        static const struct slice rows[] = {
                {(const uint8_t *)"\x90", 1}, {(const uint8_t *)"\x81\xa1x", 3}, {(const uint8_t *)"\xc1", 1}};
        struct buf out;

        (void)state;
        buf_init(&out, 0);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                assert_err(ERR_CORRUPT, import_prefix_put("allergies", rows[i], slice_str("N"), &out));
                assert_int_equal(buf_len(&out), 0);
        }
        buf_deinit(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_is_named_gets_the_prefix),
                cmocka_unit_test(what_is_no_row_leaves_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
