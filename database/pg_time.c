#include "database/pg_time.h"

#include "base/cursor.h"
#include "database/datetime.h"

#include <stdio.h>

enum { FRACTION_SIZE = 16 };

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

/* The digits of a second that are not 0 at the end. */
static void put_fraction(int64_t micros, char out[FRACTION_SIZE])
{
        size_t len;

        out[0] = '\0';
        if (micros == 0)
                return;
        (void)snprintf(out, FRACTION_SIZE, ".%06d", (int)micros);
        for (len = strlen(out); out[len - 1] == '0'; len--)
                out[len - 1] = '\0';
}

static void put_moment(enum pg_time_kind kind, struct moment m, char out[PG_TIME_TEXT_SIZE])
{
        const bool foreign = before_christ(&m);
        const int seconds = (int)(m.micros / MICROS_PER_S);
        const char *zone = kind != PG_TIME_ZONED ? "" : foreign ? "+00" : "Z";
        char fraction[FRACTION_SIZE];

        put_fraction(m.micros % MICROS_PER_S, fraction);
        (void)snprintf(out, PG_TIME_TEXT_SIZE, "%04d-%02d-%02d%c%02d:%02d:%02d%s%s%s", m.date.year, m.date.month,
                m.date.day, foreign ? ' ' : 'T', seconds / 3600, seconds / 60 % 60, seconds % 60, fraction, zone,
                foreign ? " BC" : "");
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
        (void)snprintf(out, PG_TIME_TEXT_SIZE, "%04d-%02d-%02d%s", m.date.year, m.date.month, m.date.day,
                foreign ? " BC" : "");
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
