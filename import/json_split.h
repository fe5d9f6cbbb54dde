/* JSON values of a file, found one after another, whatever stands between them: one to a line (NDJSON), written over
 * many lines, several in a row, or the elements of one array around them all. Which of these it is shows at each value;
 * nothing has to be known before, and a file may change from one to another.
 *
 * Only brackets and strings are looked at; what is found has to be parsed. A value that cannot be one, by its brackets
 * and strings, is reported once, and reading goes on with the next line that looks like the beginning of a value: one
 * broken line of NDJSON costs no other line. A UTF-8 byte order mark, blank lines and CRLF are passed over. */
#ifndef IMPORT_JSON_SPLIT_H
#define IMPORT_JSON_SPLIT_H

#include "database/reject.h"

#include "base/err.h"

struct json_split_sink {
        /* A value, or what stands where one should begin; `line`, from 1, is where it begins. Any result but OK ends
         * the reading with that result. */
        enum err (*value)(void *context, struct slice text, uint64_t line);
        /* What begins on `line` is no value: REJECT_JSON, REJECT_DEEP or REJECT_LONG. `text` is its first line, from
         * where it begins; empty when that is too long. */
        enum err (*broken)(void *context, struct slice text, uint64_t line, enum reject_reason why);
        void *context;
};

struct json_split;

/* No value longer than `value_max` bytes is kept in memory: such are passed over and reported. The sink is copied.
 * ERR_NOMEM; *out is NULL then. One owner at a time. */
enum err json_split_create(struct json_split **out, size_t value_max, const struct json_split_sink *sink) MUST_CHECK;
void json_split_destroy(struct json_split **split);

/* Reads on, in pieces of any size; calls the sink for each value that is complete. ERR_NOMEM, or what the sink
 * returned; only destroy may follow then. */
enum err json_split_feed(struct json_split *split, struct slice bytes) MUST_CHECK;

/* The end of the file. Errors as json_split_feed. */
enum err json_split_finish(struct json_split *split) MUST_CHECK;

#endif
