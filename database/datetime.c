#include "database/datetime.h"

#include "base/cursor.h"

#define MICROS_PER_SECOND INT64_C(1000000)
#define SECONDS_PER_DAY   INT64_C(86400)

/* Days to date and back by shifting the year's start to March, so that the leap day is the last of its year, and
 * counting in eras of 400 years, which are all 146 097 days long (H. Hinnant, "chrono-compatible low-level date
 * algorithms"). */
int64_t datetime_day(struct civil_date date)
{
        int64_t year = date.month <= 2 ? date.year - 1 : date.year;
        int64_t era = (year >= 0 ? year : year - 399) / 400;
        int64_t year_of_era = year - era * 400;
        int64_t month_from_march = (date.month + 9) % 12;
        int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
        int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

        return era * 146097 + day_of_era - 719468;
}

struct civil_date datetime_civil(int64_t day)
{
        int64_t shifted = day + 719468;
        int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
        int64_t day_of_era = shifted - era * 146097;
        int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t month_from_march = (5 * day_of_year + 2) / 153;
        int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

        return (struct civil_date){
                .year = (int32_t)(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
                .month = (int32_t)month,
                .day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        };
}

static int32_t days_in_month(int32_t year, int32_t month)
{
        static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_digits(struct cursor *c, size_t count, int32_t *out)
{
        struct slice digits;

        if (!cursor_take(c, count, &digits))
                return false;
        *out = 0;
        for (size_t i = 0; i < count; i++) {
                if (digits.data[i] < '0' || digits.data[i] > '9')
                        return false;
                *out = *out * 10 + (digits.data[i] - '0');
        }
        return true;
}

static bool take_byte(struct cursor *c, uint8_t expected)
{
        if (cursor_left(c) == 0 || *c->at != expected)
                return false;
        c->at++;
        return true;
}

/* Says what is wrong and never what was there: a birth date must not travel into somebody's error log. */
static enum err bad_date(struct err_msg *msg, const char *what)
{
        return err_set(msg, ERR_BADVALUE, "%s", what);
}

/* Reads a date as far as it goes; the cursor stands behind it. */
static enum err take_date(struct cursor *c, struct datetime *out, struct err_msg *msg)
{
        struct civil_date date = {.year = 0, .month = 1, .day = 1};

        out->precision = PRECISION_YEAR;
        if (!take_digits(c, 4, &date.year))
                return bad_date(msg, "not a date (YYYY, YYYY-MM or YYYY-MM-DD)");
        if (date.year == 0)
                return bad_date(msg, "not a date: there is no year 0000");
        if (take_byte(c, '-')) {
                out->precision = PRECISION_MONTH;
                if (!take_digits(c, 2, &date.month))
                        return bad_date(msg, "not a date: the month must have two digits");
                if (date.month < 1 || date.month > 12)
                        return bad_date(msg, "not a date: the month must be 01 to 12");
        }
        if (out->precision == PRECISION_MONTH && take_byte(c, '-')) {
                out->precision = PRECISION_DAY;
                if (!take_digits(c, 2, &date.day))
                        return bad_date(msg, "not a date: the day must have two digits");
                if (date.day < 1 || date.day > days_in_month(date.year, date.month))
                        return bad_date(msg, "not a date: that month has no such day");
        }
        out->micros = datetime_day(date) * SECONDS_PER_DAY * MICROS_PER_SECOND;
        return OK;
}

/* ".25" as microseconds. False when no digit follows the dot. */
static bool take_fraction(struct cursor *c, int64_t *micros)
{
        int64_t unit = MICROS_PER_SECOND / 10;
        size_t digits = 0;

        *micros = 0;
        if (!take_byte(c, '.'))
                return true;
        while (cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9') {
                *micros += (*c->at - '0') * unit;
                unit /= 10;
                c->at++;
                digits++;
        }
        return digits > 0;
}

/* hh:mm:ss with a fraction, in microseconds since midnight. */
static bool take_time(struct cursor *c, int64_t *micros)
{
        int32_t hour;
        int32_t minute;
        int32_t second;
        int64_t fraction;

        if (!take_digits(c, 2, &hour) || !take_byte(c, ':') || !take_digits(c, 2, &minute) || !take_byte(c, ':') ||
                !take_digits(c, 2, &second) || !take_fraction(c, &fraction))
                return false;
        if (hour > 23 || minute > 59 || second > 60)
                return false;
        *micros = ((int64_t)hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + fraction;
        return true;
}

/* 'Z' or +hh:mm or -hh:mm: microseconds that local time is ahead of UTC. */
static bool take_offset(struct cursor *c, int64_t *micros)
{
        int32_t hours;
        int32_t minutes;
        bool west;

        *micros = 0;
        if (take_byte(c, 'Z'))
                return true;
        west = take_byte(c, '-');
        if (!west && !take_byte(c, '+'))
                return false;
        if (!take_digits(c, 2, &hours) || !take_byte(c, ':') || !take_digits(c, 2, &minutes))
                return false;
        if (minutes > 59 || hours * 60 + minutes > 14 * 60)
                return false;
        *micros = ((int64_t)hours * 3600 + minutes * 60) * MICROS_PER_SECOND;
        if (west)
                *micros = -*micros;
        return true;
}

enum err datetime_parse_date(struct slice text, struct datetime *out, struct err_msg *msg)
{
        struct cursor c = cursor_of(text);
        enum err rc = take_date(&c, out, msg);

        if (rc == OK && cursor_left(&c) > 0)
                rc = bad_date(msg, "not a date (YYYY, YYYY-MM or YYYY-MM-DD)");
        return rc;
}

enum err datetime_parse(struct slice text, struct datetime *out, struct err_msg *msg)
{
        struct cursor c = cursor_of(text);
        int64_t time;
        int64_t ahead;
        enum err rc = take_date(&c, out, msg);

        if (rc != OK || cursor_left(&c) == 0)
                return rc;
        if (out->precision != PRECISION_DAY || !take_byte(&c, 'T'))
                return bad_date(msg, "not a date, nor an instant such as 2012-04-30T09:15:00Z");
        if (!take_time(&c, &time))
                return bad_date(msg, "not an instant: its time must be hh:mm:ss, 00:00:00 to 23:59:60");
        if (!take_offset(&c, &ahead) || cursor_left(&c) > 0)
                return bad_date(msg, "not an instant: Z or an offset such as -05:00 must end it");
        out->precision = PRECISION_INSTANT;
        out->micros += time - ahead;
        return OK;
}

void datetime_sortable(const struct datetime *when, uint8_t out[DATETIME_SORTABLE_SIZE])
{
        uint64_t shifted = (uint64_t)when->micros ^ (UINT64_C(1) << 63); /* negative before positive */

        for (int i = 0; i < DATETIME_SORTABLE_SIZE; i++)
                out[i] = (uint8_t)(shifted >> (56 - 8 * i));
}
