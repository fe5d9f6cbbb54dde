/* That both forms are equal for all there is, real servers tell: tests/integration/pg_read_test.py. */
#include "database/pg_time.h"

#include "tests/lib/test.h"

static void text_is(enum pg_time_kind kind, const char *given, const char *expected)
{
        char out[PG_TIME_TEXT_SIZE] = "";

        assert_int_equal(pg_time_from_text(kind, slice_str(given), out), expected != NULL);
        if (expected != NULL)
                assert_string_equal(out, expected);
}

static void texts_become_rfc_3339(void **state)
{
        (void)state;
        text_is(PG_TIME_DATE, "2026-02-28", "2026-02-28");
        text_is(PG_TIME_LOCAL, "2026-02-28 01:02:03.5", "2026-02-28T01:02:03.5");
        text_is(PG_TIME_ZONED, "2026-02-28 01:02:03+00", "2026-02-28T01:02:03Z");
        text_is(PG_TIME_ZONED, "2026-02-28 01:02:03.25-05", "2026-02-28T01:02:03.25-05:00");
        text_is(PG_TIME_ZONED, "2026-02-28 01:02:03+05:30", "2026-02-28T01:02:03+05:30");
        text_is(PG_TIME_ZONED, "infinity", "infinity");
        text_is(PG_TIME_DATE, "0044-03-15 BC", "0044-03-15 BC");
        text_is(PG_TIME_ZONED, "", NULL);
        text_is(PG_TIME_LOCAL, "2026-02-28", NULL);
        text_is(PG_TIME_ZONED, "2026-02-28 01:02:03+00 and more than any time that there is has", NULL);
}

static void binary_is(enum pg_time_kind kind, int64_t number, const char *expected)
{
        uint8_t bytes[8];
        const size_t len = kind == PG_TIME_DATE ? 4 : 8;
        char out[PG_TIME_TEXT_SIZE] = "";

        for (size_t i = 0; i < len; i++)
                bytes[i] = (uint8_t)((uint64_t)number >> (8 * (len - 1 - i)));
        assert_true(pg_time_from_binary(kind, slice_of(bytes, len), out));
        assert_string_equal(out, expected);
        assert_false(pg_time_from_binary(kind, slice_of(bytes, len - 1), out));
}

static void binary_counts_from_2000(void **state)
{
        (void)state;
        binary_is(PG_TIME_DATE, 0, "2000-01-01");
        binary_is(PG_TIME_DATE, -1, "1999-12-31");
        binary_is(PG_TIME_DATE, INT32_MAX, "infinity");
        binary_is(PG_TIME_DATE, INT32_MIN, "-infinity");
        binary_is(PG_TIME_DATE, -730485, "0001-01-01 BC");
        binary_is(PG_TIME_LOCAL, 0, "2000-01-01T00:00:00");
        binary_is(PG_TIME_ZONED, -1, "1999-12-31T23:59:59.999999Z");
        binary_is(PG_TIME_ZONED, 1500000, "2000-01-01T00:00:01.5Z");
        binary_is(PG_TIME_ZONED, INT64_MAX, "infinity");
        binary_is(PG_TIME_LOCAL, INT64_MIN, "-infinity");
}

static void moments_are_in_microseconds(void **state)
{
        (void)state;
        assert_int_equal(pg_time_micros("1970-01-01T00:00:01.5Z"), 1500000);
        assert_int_equal(pg_time_micros("1970-01-01T00:00:01"), 1000000);
        assert_int_equal(pg_time_micros("1970-01-01T01:00:00+01:00"), 0);
        assert_true(pg_time_micros("infinity") == INT64_MAX);
        assert_true(pg_time_micros("-infinity") == INT64_MIN);
        assert_true(pg_time_micros("0044-03-15 12:00:00 BC") == INT64_MIN);
        assert_true(pg_time_micros("") == INT64_MIN);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_become_rfc_3339),
                cmocka_unit_test(binary_counts_from_2000),
                cmocka_unit_test(moments_are_in_microseconds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
