#include "database/datetime.h"
#include "tests/lib/test.h"

static int64_t micros_of(const char *text)
{
        struct datetime when;

        assert_ok(datetime_parse(slice_str(text), &when, NULL));
        return when.micros;
}

static void dates_keep_their_precision(void **state)
{
        struct datetime when;

        (void)state;
        assert_ok(datetime_parse_date(slice_str("1970"), &when, NULL));
        assert_int_equal(when.precision, PRECISION_YEAR);
        assert_int_equal(when.micros, 0);
        assert_ok(datetime_parse_date(slice_str("1970-02"), &when, NULL));
        assert_int_equal(when.precision, PRECISION_MONTH);
        assert_int_equal(when.micros, INT64_C(31) * 86400 * 1000000);
        assert_ok(datetime_parse_date(slice_str("2012-02-29"), &when, NULL));
        assert_int_equal(when.precision, PRECISION_DAY);
        assert_int_equal(when.micros, INT64_C(1330473600) * 1000000);
}

static void instants_are_the_same_in_every_offset(void **state)
{
        (void)state;
        assert_int_equal(micros_of("2026-11-21T10:00:00Z"), INT64_C(1795255200) * 1000000);
        assert_int_equal(micros_of("2026-11-21T05:00:00-05:00"), micros_of("2026-11-21T10:00:00Z"));
        assert_int_equal(micros_of("2026-11-22T00:00:00+14:00"), micros_of("2026-11-21T10:00:00Z"));
        assert_int_equal(micros_of("2026-11-21T10:00:00.25Z"), micros_of("2026-11-21T10:00:00Z") + 250000);
        assert_int_equal(micros_of("2026-11-21T10:00:00.0000019Z"), micros_of("2026-11-21T10:00:00Z") + 1);
        assert_int_equal(micros_of("2016-12-31T23:59:60Z"), micros_of("2017-01-01T00:00:00Z"));
}

static void what_is_wrong_is_named(void **state)
{
        static const struct {
                const char *text;
                const char *problem;
        } cases[] = {
                {"", "not a date (YYYY, YYYY-MM or YYYY-MM-DD)"},
                {"12/24/2020", "not a date (YYYY, YYYY-MM or YYYY-MM-DD)"},
                {"0000", "not a date: there is no year 0000"},
                {"2020-1", "not a date: the month must have two digits"},
                {"2020-13", "not a date: the month must be 01 to 12"},
                {"2020-00-01", "not a date: the month must be 01 to 12"},
                {"2021-02-29", "not a date: that month has no such day"},
                {"1900-02-29", "not a date: that month has no such day"},
                {"2021-04-3", "not a date: the day must have two digits"},
                {"2020-12-24x", "not a date, nor an instant such as 2012-04-30T09:15:00Z"},
                {"2020-12T10:00:00Z", "not a date, nor an instant such as 2012-04-30T09:15:00Z"},
                {"2020-12-24T10:00Z", "not an instant: its time must be hh:mm:ss, 00:00:00 to 23:59:60"},
                {"2020-12-24T24:00:00Z", "not an instant: its time must be hh:mm:ss, 00:00:00 to 23:59:60"},
                {"2020-12-24T10:00:00.Z", "not an instant: its time must be hh:mm:ss, 00:00:00 to 23:59:60"},
                {"2020-12-24T10:00:00", "not an instant: Z or an offset such as -05:00 must end it"},
                {"2020-12-24T10:00:00+14:01", "not an instant: Z or an offset such as -05:00 must end it"},
                {"2020-12-24T10:00:00Z!", "not an instant: Z or an offset such as -05:00 must end it"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct datetime when;
                struct err_msg msg;

                assert_err(ERR_BADVALUE, datetime_parse(slice_str(cases[i].text), &when, &msg));
                assert_string_equal(msg.text, cases[i].problem);
        }
}

static void an_instant_is_no_date(void **state)
{
        struct datetime when;

        (void)state;
        assert_err(ERR_BADVALUE, datetime_parse_date(slice_str("2020-12-24T10:00:00Z"), &when, NULL));
}

static void bytes_sort_as_time_does(void **state)
{
        static const char *const rising[] = {"0001", "1582-10-04", "1969-12-31T23:59:59.999999Z", "1970",
                "1970-01-01T00:00:00.000001Z", "2020-02", "2020-02-01T00:00:00.5Z", "2020-02-29",
                "2020-02-29T23:00:00-05:00", "9999-12-31T23:59:59Z"};
        uint8_t before[DATETIME_SORTABLE_SIZE] = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
                struct datetime when;
                uint8_t key[DATETIME_SORTABLE_SIZE];

                assert_ok(datetime_parse(slice_str(rising[i]), &when, NULL));
                datetime_sortable(&when, key);
                assert_true(memcmp(before, key, sizeof(key)) < 0);
                memcpy(before, key, sizeof(key));
        }
}

static void calendar_and_day_numbers_are_inverse(void **state)
{
        int64_t first = datetime_day((struct civil_date){1, 1, 1});
        int64_t last = datetime_day((struct civil_date){9999, 12, 31});

        (void)state;
        assert_int_equal(datetime_day((struct civil_date){1970, 1, 1}), 0);
        assert_int_equal(datetime_day((struct civil_date){2000, 3, 1}), 11017);
        for (int64_t day = first; day <= last; day += 13)
                assert_int_equal(datetime_day(datetime_civil(day)), day);
        assert_int_equal(datetime_civil(11016).day, 29);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dates_keep_their_precision),
                cmocka_unit_test(instants_are_the_same_in_every_offset),
                cmocka_unit_test(what_is_wrong_is_named),
                cmocka_unit_test(an_instant_is_no_date),
                cmocka_unit_test(bytes_sort_as_time_does),
                cmocka_unit_test(calendar_and_day_numbers_are_inverse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
