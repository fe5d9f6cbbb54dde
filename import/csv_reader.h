/* Rows of a CSV file (RFC 4180: quoted fields may hold commas, quotes and line breaks), read in pieces of any size with
 * libcsv. LF, CRLF and CR end a row; blank lines are passed over; a UTF-8 byte order mark is dropped; space around an
 * unquoted field is dropped.
 *
 * A row whose quotes are broken is reported with its first line, and reading goes on behind that line: a quote that is
 * never closed costs its own line, not the rest of the file. */
#ifndef IMPORT_CSV_READER_H
#define IMPORT_CSV_READER_H

#include "base/err.h"
#include "base/slice.h"
#include "database/reject.h"

enum { CSV_READER_FIELDS_MAX = 256, CSV_READER_ROW_MAX = 1 << 20, CSV_READER_BROKEN_MAX = 1 << 16 };

struct csv_row {
        uint64_t line; /* where the row begins, from 1 */
        size_t count;
        const struct slice *fields; /* valid during the call */
};

/* What is no row. */
struct csv_broken {
        uint64_t line;
        enum reject_reason reason; /* REJECT_QUOTES, REJECT_LONG, REJECT_COLUMNS */
        const char *why;           /* the same in more words; a literal */
        /* Its line without the line break; empty when it is longer than CSV_READER_BROKEN_MAX, as a part of it could
         * pass for a row. Valid during the call. */
        struct slice text;
};

/* Any result but OK ends the reading with that result. */
struct csv_reader_sink {
        enum err (*row)(void *context, const struct csv_row *row);
        enum err (*broken)(void *context, const struct csv_broken *broken);
        void *context;
};

struct csv_reader;

/* ERR_NOMEM; *out is NULL then. The sink is copied. One owner at a time. */
enum err csv_reader_create(struct csv_reader **out, const struct csv_reader_sink *sink) MUST_CHECK;
void csv_reader_destroy(struct csv_reader **reader);

/* Reads on; calls the sink for each row that is complete. Holds a row's bytes until it is, so as many as the piece and
 * CSV_READER_ROW_MAX together at most. ERR_NOMEM, or what the sink returned; only destroy may follow then. */
enum err csv_reader_feed(struct csv_reader *reader, struct slice bytes) MUST_CHECK;

/* The end of the file: the last row need not end in a line break. Errors as csv_reader_feed. */
enum err csv_reader_finish(struct csv_reader *reader) MUST_CHECK;

#endif
