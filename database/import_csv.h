/* A CSV file of Synthea's becomes records: rows are found (csv_reader), the header says which table they are of
 * (import_table), each row becomes a record or a reason why not (import_row). */
#ifndef DATABASE_IMPORT_CSV_H
#define DATABASE_IMPORT_CSV_H

#include "database/import_row.h"
#include "database/import_sink.h"

struct import_csv;

/* Starts a file; `path` is for its name (import_table.h) and is copied, the sink too. ERR_NOMEM; *out is NULL then. */
enum err import_csv_create(struct import_csv **out, const char *path, const struct import_sink *sink) MUST_CHECK;
void import_csv_destroy(struct import_csv **import);

/* Reads on. ERR_NOTFOUND: not one of the tables; ERR_BADVALUE: a header that cannot be right (*msg says why);
 * ERR_NOMEM; or what the sink returned. Only destroy may follow then. Pieces: as csv_reader_feed. */
enum err import_csv_feed(struct import_csv *import, struct slice bytes, struct err_msg *msg) MUST_CHECK;

/* The end of the file. ERR_BADVALUE when there was no header line; else as import_csv_feed. */
enum err import_csv_finish(struct import_csv *import, struct err_msg *msg) MUST_CHECK;

/* The table, once the header has been read; false before. */
bool import_csv_kind(const struct import_csv *import, enum import_kind *kind) MUST_CHECK;

#endif
