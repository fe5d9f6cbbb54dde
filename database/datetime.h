/* Dates and instants of health records, as FHIR writes them (hl7.org/fhir/R4/datatypes.html, date, dateTime, instant):
 *
 *      date      2012   2012-04   2012-04-30            what is not known is left out, never filled in
 *      instant   2012-04-30T09:15:00Z   2012-04-30T09:15:00.250-05:00     an offset is required
 *
 * The text is what is stored and served; the parsed form is for checking and for the order of indexes. */
#ifndef DATABASE_DATETIME_H
#define DATABASE_DATETIME_H

#include "base/err.h"
#include "base/slice.h"

enum datetime_precision { PRECISION_YEAR, PRECISION_MONTH, PRECISION_DAY, PRECISION_INSTANT };

struct datetime {
        enum datetime_precision precision;
        int64_t micros; /* since 1970-01-01T00:00:00Z; of a date: its first moment, taken as UTC */
};

enum { DATETIME_SORTABLE_SIZE = 8 };

/* A date: year, year-month or year-month-day, of a day that is in the calendar, years 0001 to 9999. ERR_BADVALUE says
 * what is wrong. Pure; any thread. */
enum err datetime_parse_date(struct slice text, struct datetime *out, struct err_msg *msg) MUST_CHECK;

/* A date, or an instant: date, 'T', time to the second (60 for a leap second; digits of a second past the sixth are
 * read and not kept here) and 'Z' or an offset up to 14:00. ERR_BADVALUE. Pure; any thread. */
enum err datetime_parse(struct slice text, struct datetime *out, struct err_msg *msg) MUST_CHECK;

/* Eight bytes whose byte order is the order of time: for index keys. Any two datetimes compare; a date sorts with its
 * first moment. Pure; any thread. */
void datetime_sortable(const struct datetime *when, uint8_t out[DATETIME_SORTABLE_SIZE]);

/* A day of the calendar, proleptic Gregorian. */
struct civil_date {
        int32_t year;
        int32_t month; /* 1..12 */
        int32_t day;   /* 1..31 */
};

/* The civil date of a day number since 1970-01-01. Pure; any thread. */
struct civil_date datetime_civil(int64_t day);

/* The day number since 1970-01-01 of a civil date. Pure; any thread. */
int64_t datetime_day(struct civil_date date);

#endif
