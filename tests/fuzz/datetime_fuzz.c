/* Dates from outside: whatever the bytes, they are refused with a reason, or they are of the calendar: the day leads to
 * its number and back to the digits that were written, an instant is not further from its day than a leap second and an
 * offset can be, and the order of index keys is that of time. */
#include "database/datetime.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MICROS_PER_HOUR INT64_C(3600000000)
#define MICROS_PER_DAY  (24 * MICROS_PER_HOUR)

/* The first characters of the text are the date, as far as it is known. */
static void check_date(struct slice text, const struct datetime *date)
{
        static const size_t lengths[] = {4, 7, 10};
        struct civil_date civil = datetime_civil(date->micros / MICROS_PER_DAY - (date->micros % MICROS_PER_DAY < 0));
        char written[48];

        VC_ASSERT(date->micros % MICROS_PER_DAY == 0 && date->precision <= PRECISION_DAY);
        VC_ASSERT(datetime_day(civil) * MICROS_PER_DAY == date->micros);
        (void)snprintf(written, sizeof(written), "%04d-%02d-%02d", civil.year, civil.month, civil.day);
        VC_ASSERT(text.len == lengths[date->precision] && memcmp(written, text.data, text.len) == 0);
}

static void check_instant(struct slice text, const struct datetime *when)
{
        enum { DATE_LENGTH = 10, OFFSET_HOURS = 14 };
        uint8_t at[DATETIME_SORTABLE_SIZE];
        uint8_t of_day[DATETIME_SORTABLE_SIZE];
        struct datetime day;
        int64_t since;

        VC_ASSERT(text.len > DATE_LENGTH);
        VC_ASSERT(datetime_parse_date(slice_of(text.data, DATE_LENGTH), &day, NULL) == OK);
        since = when->micros - day.micros;
        VC_ASSERT(since >= -OFFSET_HOURS * MICROS_PER_HOUR);
        VC_ASSERT(since < MICROS_PER_DAY + OFFSET_HOURS * MICROS_PER_HOUR + MICROS_PER_HOUR / 3600);
        datetime_sortable(when, at);
        datetime_sortable(&day, of_day);
        VC_ASSERT((memcmp(at, of_day, sizeof(at)) < 0) == (since < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct slice text = slice_of(data, size);
        struct err_msg msg = {.text = ""};
        struct datetime date;
        struct datetime when;
        enum err as_date = datetime_parse_date(text, &date, NULL);
        enum err as_either = datetime_parse(text, &when, &msg);

        VC_ASSERT(as_either == OK || (as_either == ERR_BADVALUE && msg.text[0] != '\0'));
        VC_ASSERT((as_date == OK) == (as_either == OK && when.precision != PRECISION_INSTANT));
        if (as_date == OK) {
                VC_ASSERT(date.micros == when.micros && date.precision == when.precision);
                check_date(text, &date);
        } else if (as_either == OK) {
                check_instant(text, &when);
        }
        return 0;
}
