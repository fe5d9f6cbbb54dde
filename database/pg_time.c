#include "database/pg_time.h"

#include "base/cursor.h"
#include "database/datetime.h"

#include <stdio.h>

#define MICROS_PER_S   INT64_C(1000000)
#define MICROS_PER_DAY (INT64_C(86400) * MICROS_PER_S)
#define DAYS_TO_2000   INT64_C(10957) /* from 1970-01-01 */

/* ---- text ---- */

static bool ends_with(struct slice text, const char *end)
{
        size_t len = strlen(end);

        return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

/* What RFC 3339 has no form for. */
static bool is_foreign(struct slice text)
{
        return ends_with(text, "infinity") || ends_with(text, " BC");
}

/* "+00" is Z; "+05" needs its minutes. The sign stands behind the time, whose own separators are ':' and '.'. */
static void put_offset(char *text)
{
        char *time = strchr(text, 'T');
        char *sign = time == NULL ? NULL : strpbrk(time, "+-");
        size_t len = sign == NULL ? 0 : strlen(sign);

        if (len == 3 && strcmp(sign + 1, "00") == 0)
                (void)snprintf(sign, 2, "Z");
        else if (len == 3)
                (void)snprintf(sign + 3, 4, ":00");
}

bool pg_time_from_text(enum pg_time_kind kind, struct slice bytes, char out[PG_TIME_TEXT_SIZE])
{
        char *space;

        if (bytes.len == 0 || bytes.len > PG_TIME_TEXT_SIZE - 8)
                return false;
        memcpy(out, bytes.data, bytes.len);
        out[bytes.len] = '\0';
        if (kind == PG_TIME_DATE || is_foreign(bytes))
                return true;
        space = strchr(out, ' ');
        if (space == NULL)
                return false;
        *space = 'T';
        if (kind == PG_TIME_ZONED)
                put_offset(out);
        return true;
}

/* ---- binary ---- */

struct moment {
        struct civil_date date;
        int64_t micros; /* of the day */
};

static bool before_christ(struct moment *m)
{
        if (m->date.year > 0)
                return false;
        m->date.year = 1 - m->date.year;
        return true;
}

/* At least `width` digits, ended; returns where they end. By hand, here and below: a reply has such texts by the dozen,
 * and a format is read slower than it is followed. */
static char *put_digits(char *at, int number, int width)
{
        char digits[12];
        int count = 0;

        for (; number > 0 || count < width; number /= 10)
                digits[count++] = (char)('0' + number % 10);
        while (count > 0)
                *at++ = digits[--count];
        *at = '\0';
        return at;
}

static char *put_text(char *at, const char *text)
{
        while (*text != '\0')
                *at++ = *text++;
        *at = '\0';
        return at;
}

static char *put_date(char *at, const struct civil_date *date)
{
        at = put_digits(at, date->year, 4);
        at = put_digits(put_text(at, "-"), date->month, 2);
        return put_digits(put_text(at, "-"), date->day, 2);
}

/* The digits of a second that are not 0 at the end. */
static char *put_fraction(char *at, int micros)
{
        if (micros == 0)
                return at;
        for (at = put_digits(put_text(at, "."), micros, 6); at[-1] == '0'; at--)
                at[-1] = '\0';
        return at;
}

static void put_moment(enum pg_time_kind kind, struct moment m, char out[PG_TIME_TEXT_SIZE])
{
        const bool foreign = before_christ(&m);
        const int seconds = (int)(m.micros / MICROS_PER_S);
        char *at = put_date(out, &m.date);

        at = put_digits(put_text(at, foreign ? " " : "T"), seconds / 3600, 2);
        at = put_digits(put_text(at, ":"), seconds / 60 % 60, 2);
        at = put_digits(put_text(at, ":"), seconds % 60, 2);
        at = put_fraction(at, (int)(m.micros % MICROS_PER_S));
        if (kind == PG_TIME_ZONED)
                at = put_text(at, foreign ? "+00" : "Z");
        (void)put_text(at, foreign ? " BC" : "");
}

static bool from_days(struct slice bytes, char out[PG_TIME_TEXT_SIZE])
{
        struct cursor c = cursor_of(bytes);
        struct moment m = {.micros = 0};
        bool foreign;
        uint32_t raw;

        if (bytes.len != sizeof(raw) || !cursor_u32(&c, &raw))
                return false;
        if ((int32_t)raw == INT32_MAX || (int32_t)raw == INT32_MIN) {
                (void)snprintf(out, PG_TIME_TEXT_SIZE, "%sinfinity", (int32_t)raw < 0 ? "-" : "");
                return true;
        }
        m.date = datetime_civil((int32_t)raw + DAYS_TO_2000);
        foreign = before_christ(&m);
        (void)put_text(put_date(out, &m.date), foreign ? " BC" : "");
        return true;
}

bool pg_time_from_binary(enum pg_time_kind kind, struct slice bytes, char out[PG_TIME_TEXT_SIZE])
{
        struct cursor c = cursor_of(bytes);
        struct moment m;
        int64_t micros;
        int64_t days;
        uint64_t raw;

        if (kind == PG_TIME_DATE)
                return from_days(bytes, out);
        if (bytes.len != sizeof(raw) || !cursor_u64(&c, &raw))
                return false;
        micros = (int64_t)raw;
        if (micros == INT64_MAX || micros == INT64_MIN) {
                (void)snprintf(out, PG_TIME_TEXT_SIZE, "%sinfinity", micros < 0 ? "-" : "");
                return true;
        }
        days = micros / MICROS_PER_DAY;
        m.micros = micros % MICROS_PER_DAY;
        if (m.micros < 0) {
                m.micros += MICROS_PER_DAY;
                days--;
        }
        m.date = datetime_civil(days + DAYS_TO_2000);
        put_moment(kind, m, out);
        return true;
}

/* ---- moments ---- */

int64_t pg_time_micros(const char *text)
{
        struct slice whole = slice_str(text);
        char zoned[PG_TIME_TEXT_SIZE + 1];
        struct datetime when;

        if (strcmp(text, "infinity") == 0)
                return INT64_MAX;
        if (datetime_parse(whole, &when, NULL) == OK)
                return when.micros;
        if (whole.len + 1 >= sizeof(zoned))
                return INT64_MIN;
        (void)snprintf(zoned, sizeof(zoned), "%sZ", text); /* without an offset */
        return datetime_parse(slice_str(zoned), &when, NULL) == OK ? when.micros : INT64_MIN;
}
