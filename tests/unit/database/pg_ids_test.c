#include "database/pg_ids.h"

#include "database/pg_type.h"
#include "tests/lib/test.h"

static void ids_are_sorted_and_found(void **state)
{
        struct slice ids[] = {slice_str("b"), slice_str("a"), slice_str("b"), slice_str("ab"), slice_str("a")};
        size_t count = pg_ids_sort(ids, 5);

        (void)state;
        assert_int_equal(count, 3);
        assert_slice_is(ids[0], "a");
        assert_slice_is(ids[1], "ab");
        assert_slice_is(ids[2], "b");
        assert_int_equal(pg_ids_find(ids, count, slice_str("ab")), 1);
        assert_int_equal(pg_ids_find(ids, count, slice_str("abc")), count);
        assert_int_equal(pg_ids_find(ids, 0, slice_str("a")), 0);
        assert_int_equal(pg_ids_sort(ids, 0), 0);
}

static void literal_is(const char *expected, const char *const *texts, size_t count)
{
        struct slice ids[4];
        struct buf out;

        buf_init(&out, 0);
        for (size_t i = 0; i < count; i++)
                ids[i] = slice_str(texts[i]);
        assert_ok(pg_ids_put(&out, ids, count));
        assert_string_equal((const char *)buf_slice(&out).data, expected);
        buf_deinit(&out);
}

static void every_id_is_in_quotes(void **state)
{
        (void)state;
        literal_is("{}", NULL, 0);
        literal_is("{\"42\"}", (const char *[]){"42"}, 1);
        literal_is("{\"NULL\",\"a,b\",\"{}\"}", (const char *[]){"NULL", "a,b", "{}"}, 3);
        literal_is("{\"\\\"\",\"\\\\\",\"\\\\\\\"\"}", (const char *[]){"\"", "\\", "\\\""}, 3);
}

static void a_column_s_type_says_which_ids_can_be(void **state)
{
        static const struct {
                uint32_t type;
                const char *id;
                enum err status;
                bool possible;
        } rows[] = {
                {0, "anything", OK, true},
                {PG_TYPE_TEXT, " 42", OK, true},
                {PG_TYPE_INT2, "32767", OK, true},
                {PG_TYPE_INT2, "32768", OK, false},
                {PG_TYPE_INT2, "-32768", OK, true},
                {PG_TYPE_INT2, "-32769", OK, false},
                {PG_TYPE_INT4, "2147483647", OK, true},
                {PG_TYPE_INT4, "2147483648", OK, false},
                {PG_TYPE_INT4, "042", ERR_BADKEY, true},
                {PG_TYPE_INT4, "+42", ERR_BADKEY, true},
                {PG_TYPE_INT4, "4 2", ERR_BADKEY, true},
                {PG_TYPE_INT8, "9223372036854775807", OK, true},
                {PG_TYPE_INT8, "9223372036854775808", ERR_BADKEY, true},
                {PG_TYPE_INT8, "99999999999999999999", OK, false},
                {PG_TYPE_OID, "4294967295", OK, true},
                {PG_TYPE_OID, "4294967296", OK, false},
                {PG_TYPE_OID, "-1", OK, false},
                {PG_TYPE_NUMERIC, "42", OK, true},
                {PG_TYPE_NUMERIC, "0", OK, true},
                {PG_TYPE_NUMERIC, "-0.50", OK, true},
                {PG_TYPE_NUMERIC, "99999999999999999999999", OK, true},
                {PG_TYPE_NUMERIC, "042", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, "-042", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, "+42", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, "4e2", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, "42.", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, ".5", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, "-", ERR_BADKEY, true},
                {PG_TYPE_NUMERIC, " 42", ERR_BADKEY, true},
                {PG_TYPE_BPCHAR, " ab", OK, true},
                {PG_TYPE_BPCHAR, "ab ", ERR_BADKEY, true},
                {PG_TYPE_UUID, "0b5c1a52-6d0e-4d52-9f5e-3a1f0c2b7d44", OK, true},
                {PG_TYPE_UUID, "0B5C1A52-6d0e-4d52-9f5e-3a1f0c2b7d44", ERR_BADKEY, true},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct err_msg msg = {""};
                bool possible;

                assert_err(rows[i].status, pg_id_check(rows[i].type, slice_str(rows[i].id), &possible, &msg));
                assert_int_equal(possible, rows[i].possible);
                assert_int_equal(rows[i].status == OK || msg.text[0] != '\0', true);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ids_are_sorted_and_found),
                cmocka_unit_test(every_id_is_in_quotes),
                cmocka_unit_test(a_column_s_type_says_which_ids_can_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
