/* PostgreSQL's dates and times: from text (DateStyle ISO, TimeZone UTC) and from the binary form, which is counted from
 * 2000-01-01. What both make is the same: RFC 3339, a timestamp with time zone in Z, one without it without an offset;
 * what that form cannot say (years before Christ, infinity) stays as PostgreSQL writes it. Pure; any thread. */
#ifndef DATABASE_PG_TIME_H
#define DATABASE_PG_TIME_H

#include "base/buf.h"

enum pg_time_kind { PG_TIME_DATE, PG_TIME_LOCAL, PG_TIME_ZONED };

enum { PG_TIME_TEXT_SIZE = 64 };

/* `bytes` as the text of `out`. False: no such value; *out is then not set. */
bool pg_time_from_text(enum pg_time_kind kind, struct slice bytes, char out[PG_TIME_TEXT_SIZE]) MUST_CHECK;
bool pg_time_from_binary(enum pg_time_kind kind, struct slice bytes, char out[PG_TIME_TEXT_SIZE]) MUST_CHECK;

/* The moment that such a text says, in microseconds since 1970-01-01T00:00:00Z (without an offset: UTC). INT64_MAX for
 * "infinity", INT64_MIN for what lies before the year 1 or cannot be read. */
int64_t pg_time_micros(const char *text);

#endif
