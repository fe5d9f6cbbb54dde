/* What damaged and rare cells become; the rest is asked of real servers: tests/integration/pg_read_test.py. */
#include "database/pg_decode.h"

#include "database/pg_type.h"
#include "tests/lib/values.h"

enum { TYPE_INT4_ARRAY = 1007, TYPE_TEXT_ARRAY = 1009 };

static struct pg_cell text_cell(uint32_t type, const char *text)
{
        return (struct pg_cell){.type = type, .bytes = slice_str(text)};
}

static struct pg_cell binary_cell(uint32_t type, const void *bytes, size_t len)
{
        return (struct pg_cell){.type = type, .binary = true, .bytes = slice_of(bytes, len)};
}

static void value_is(struct pg_cell cell, const char *json)
{
        struct buf out;

        buf_init(&out, 0);
        assert_ok(pg_decode(&cell, &out));
        assert_value_is(buf_slice(&out), json);
        buf_deinit(&out);
}

static void is_damaged(struct pg_cell cell)
{
        struct buf out;

        buf_init(&out, 0);
        assert_err(ERR_CORRUPT, pg_decode(&cell, &out));
        buf_deinit(&out);
}

static void texts_become_values(void **state)
{
        (void)state;
        value_is(text_cell(PG_TYPE_BOOL, "t"), "true");
        value_is(text_cell(PG_TYPE_INT8, "-42"), "-42");
        value_is(text_cell(PG_TYPE_NUMERIC, "12.5"), "12.5");
        value_is(text_cell(PG_TYPE_NUMERIC, "12.50"), "\"12.50\"");
        value_is(text_cell(PG_TYPE_FLOAT8, "Infinity"), "\"Infinity\"");
        value_is(text_cell(PG_TYPE_JSONB, "{\"a\": [1, null]}"), "{\"a\":[1,null]}");
        value_is(text_cell(PG_TYPE_JSON, "{\"a\":1,\"a\":2}"), "\"{\\\"a\\\":1,\\\"a\\\":2}\"");
        value_is(text_cell(PG_TYPE_BYTEA, "\\x00ff"), "\"AP8=\"");
        value_is(text_cell(99999, "as it is"), "\"as it is\"");
        value_is(text_cell(TYPE_TEXT_ARRAY, "{a,NULL,\"NULL\",\"\\\"\"}"), "[\"a\",null,\"NULL\",\"\\\"\"]");
        value_is(text_cell(TYPE_INT4_ARRAY, "[2:3][0:0]={{1},{2}}"), "[[1],[2]]");
}

static void binary_forms_become_values(void **state)
{
        (void)state;
        value_is(binary_cell(PG_TYPE_INT2, "\xff\xfe", 2), "-2");
        value_is(binary_cell(PG_TYPE_OID, "\xff\xff\xff\xff", 4), "4294967295");
        value_is(binary_cell(PG_TYPE_JSONB, "\x01[1]", 4), "[1]");
        value_is(binary_cell(TYPE_INT4_ARRAY, "\0\0\0\0\0\0\0\0\0\0\0\x17", 12), "[]");
        value_is(binary_cell(TYPE_INT4_ARRAY,
                         "\0\0\0\x01\0\0\0\x01\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff", 32),
                "[7,null]");
}

static void damaged_cells_are_told(void **state)
{
        static const struct {
                uint32_t type;
                const char *text;
        } rows[] = {{PG_TYPE_BOOL, "true"}, {PG_TYPE_INT4, "x"}, {PG_TYPE_INT4, ""}, {PG_TYPE_FLOAT8, "1x"},
                {PG_TYPE_FLOAT8, ""}, {PG_TYPE_BYTEA, "00"}, {PG_TYPE_BYTEA, "\\x0"}, {PG_TYPE_BYTEA, "\\xzz"},
                {PG_TYPE_TEXT, "\xff"}, {PG_TYPE_TIMESTAMP, "x"}, {TYPE_INT4_ARRAY, "1"}, {TYPE_INT4_ARRAY, "{1"},
                {TYPE_INT4_ARRAY, "{1}2"}, {TYPE_INT4_ARRAY, "{1,}"}, {TYPE_INT4_ARRAY, "{"}, {TYPE_TEXT_ARRAY, "{\"a"},
                {TYPE_TEXT_ARRAY, "{\"a\\"}, {TYPE_TEXT_ARRAY, "{{{{{{{a}}}}}}}"}, {TYPE_TEXT_ARRAY, "[1:2]"},
                {TYPE_TEXT_ARRAY, ""}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                is_damaged(text_cell(rows[i].type, rows[i].text));
}

static void damaged_binary_cells_are_told(void **state)
{
        static const char array[] = "\0\0\0\x01\0\0\0\0\0\0\0\x17\0\0\0\x01\0\0\0\x01\0\0\0\x04\0\0\0\x07";

        (void)state;
        is_damaged(binary_cell(PG_TYPE_BOOL, "", 0));
        is_damaged(binary_cell(PG_TYPE_INT4, "\0\0\0", 3));
        is_damaged(binary_cell(PG_TYPE_INT4, "\0\0\0\0\0", 5));
        is_damaged(binary_cell(PG_TYPE_FLOAT4, "\0\0\0", 3));
        is_damaged(binary_cell(PG_TYPE_FLOAT8, "\0\0\0\0", 4));
        is_damaged(binary_cell(PG_TYPE_UUID, "\0", 1));
        is_damaged(binary_cell(PG_TYPE_JSONB, "\x02{}", 3));
        is_damaged(binary_cell(PG_TYPE_DATE, "\0", 1));
        is_damaged(binary_cell(PG_TYPE_NUMERIC, "\0\0", 2));
        is_damaged(binary_cell(PG_TYPE_TEXT, "\xff", 1));
        value_is(binary_cell(TYPE_INT4_ARRAY, array, sizeof(array) - 1), "[7]");
        for (size_t len = 0; len < sizeof(array) - 1; len++)
                is_damaged(binary_cell(TYPE_INT4_ARRAY, array, len));
        is_damaged(binary_cell(TYPE_INT4_ARRAY, array, sizeof(array)));
        is_damaged(binary_cell(TYPE_TEXT_ARRAY, array, sizeof(array) - 1));
        is_damaged(binary_cell(TYPE_INT4_ARRAY, "\0\0\0\x07\0\0\0\0\0\0\0\x17", 12));
}

static void ids_are_read_as_text(void **state)
{
        const struct pg_cell cells[] = {text_cell(PG_TYPE_INT4, "42"), binary_cell(PG_TYPE_INT4, "\0\0\0*", 4),
                binary_cell(PG_TYPE_TEXT, "42", 2)};
        struct pg_cell cell = binary_cell(PG_TYPE_FLOAT8, "12345678", 8);
        struct buf out;

        (void)state;
        buf_init(&out, 0);
        for (size_t i = 0; i < 3; i++) {
                buf_truncate(&out, 0);
                assert_ok(pg_decode_text(&cells[i], &out));
                assert_slice_is(buf_slice(&out), "42");
        }
        assert_err(ERR_CORRUPT, pg_decode_text(&cell, &out));
        buf_deinit(&out);
        assert_true(pg_decode_knows_binary(PG_TYPE_UUID) && pg_decode_knows_binary(TYPE_INT4_ARRAY));
        assert_false(pg_decode_knows_binary(PG_TYPE_NUMERIC) || pg_decode_knows_binary(99999));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_become_values),
                cmocka_unit_test(binary_forms_become_values),
                cmocka_unit_test(damaged_cells_are_told),
                cmocka_unit_test(damaged_binary_cells_are_told),
                cmocka_unit_test(ids_are_read_as_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
