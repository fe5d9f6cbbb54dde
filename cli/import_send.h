/* Rows on their way to the server: gathered into batches, each an IMPORT of its own that is durable once it is
 * acknowledged; several batches are on their way at a time.
 *
 * The server takes all rows of a batch or none, so a batch that it refuses is sent again row by row: the bad ones are
 * counted, the others go in. Of a batch with rows of unknown students, whose number alone is told, rows are sent again
 * in the same way to name the first places: what went in already stays as it is. */
#ifndef CLI_IMPORT_SEND_H
#define CLI_IMPORT_SEND_H

#include "cli/conn.h"
#include "cli/import_report.h"
#include "database/import_sink.h"

struct import_send;

/* Borrows both. ERR_NOMEM; *out is NULL then. */
enum err import_send_create(struct import_send **out, struct conn *conn, struct import_report *report) MUST_CHECK;
void import_send_destroy(struct import_send **send);

/* Tells the server that values come as msgpack. ERR_UNAVAILABLE; ERR_INTERNAL with the server's error. */
enum err import_send_begin(struct import_send *send, struct err_msg *msg) MUST_CHECK;

/* Takes one row (a copy) of the file `path`, which is borrowed until the end. May send, and wait for an older batch.
 * ERR_UNAVAILABLE: the connection broke. ERR_INTERNAL: the server cannot import at all; *msg is its error. ERR_NOMEM.
 * What was acknowledged stands in the report. */
enum err import_send_row(
        struct import_send *send, const char *path, const struct import_item *item, struct err_msg *msg) MUST_CHECK;

/* Sends what was gathered and waits for every batch: the end of a file. Errors as above. */
enum err import_send_finish(struct import_send *send, struct err_msg *msg) MUST_CHECK;

#endif
