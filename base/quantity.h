/* Numbers as people write them in configuration: whole numbers, durations (`250ms`, `60s`, `10m`, `1h`, `7d`) and sizes
 * (`64MB` is 64 000 000 bytes, `64MiB` is 67 108 864). A duration or size without a unit is refused, so that nobody has
 * to guess it.
 *
 * Messages continue a sentence that begins with the name of what is read: `is 60, without a unit; write 60s or 1m`. All
 * calls are pure; any thread. */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum quantity_kind { QUANTITY_NUMBER, QUANTITY_DURATION, QUANTITY_SIZE };

enum { QUANTITY_TEXT_SIZE = 32 };

/* The most that any quantity can be: an int64_t, as durations are counted in nanoseconds. */
#define QUANTITY_MAX ((uint64_t)INT64_MAX)

/* Reads all of `text`: NUMBER as it is, DURATION in nanoseconds, SIZE in bytes. ERR_CONFIG says what is wrong and what
 * would be right; *out is unchanged then. */
enum err quantity_parse(enum quantity_kind kind, struct slice text, uint64_t *out, struct err_msg *msg) MUST_CHECK;

/* ERR_CONFIG (`is 70000; it must be 1 to 65535`) when `value` is not min..max. */
enum err quantity_check(
        enum quantity_kind kind, uint64_t value, uint64_t min, uint64_t max, struct err_msg *msg) MUST_CHECK;

/* Writes the value as quantity_parse would read it, in the largest unit that it is a whole number of, into `text` of
 * QUANTITY_TEXT_SIZE bytes; returns `text`. */
const char *quantity_format(enum quantity_kind kind, uint64_t value, char *text);

#endif
