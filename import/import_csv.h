/* A CSV file of Synthea's becomes rows: they are found (csv_reader), the header says which table they are of
 * (import_table), each becomes a row as IMPORT takes it, or a reason why not (import_row), with the origin that a
 * rejects file keeps (import_origin). */
#ifndef IMPORT_IMPORT_CSV_H
#define IMPORT_IMPORT_CSV_H

#include "import/import_layout.h"
#include "import/import_sink.h"

struct import_csv;

/* A file to be read. */
struct import_csv_file {
        const char *path;    /* for its name */
        struct slice first;  /* its beginning: all of it, or at least its header line and some rows */
        struct slice prefix; /* put before every student's id; borrowed until the end, may be empty */
        struct slice today;  /* as in struct import_layout; borrowed until the end, may be empty */
};

/* Finds out which table a file is of. Errors as import_table_find; ERR_NOTFOUND also of an empty file, ERR_BADVALUE of
 * a header that cannot be right, where it may be one of a table; ERR_NOMEM. */
enum err import_csv_look(const struct import_csv_file *file, enum import_kind *kind, struct err_msg *msg) MUST_CHECK;

/* Starts a file; nothing but the prefix and the day is borrowed any longer, the sink is copied. Errors as
 * import_csv_look; *out is NULL then. */
enum err import_csv_create(struct import_csv **out, const struct import_csv_file *file, const struct import_sink *sink,
        struct err_msg *msg) MUST_CHECK;
void import_csv_destroy(struct import_csv **import);

/* Reads on, from the beginning. ERR_NOMEM, or what the sink returned; only destroy may follow then. Memory: as
 * csv_reader_feed. */
enum err import_csv_feed(struct import_csv *import, struct slice bytes, struct err_msg *msg) MUST_CHECK;

/* The end of the file. Errors as import_csv_feed. */
enum err import_csv_finish(struct import_csv *import, struct err_msg *msg) MUST_CHECK;

#endif
