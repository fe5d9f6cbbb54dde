/* Which students were merged into which, as the server has it: a record that came under one id is kept under another.
 * Memory: about a hundred bytes for each merged id. Not thread-safe while it is loaded. */
#ifndef CLI_IMPORT_MERGED_H
#define CLI_IMPORT_MERGED_H

#include "base/slice.h"
#include "cli/conn.h"

struct import_merged;

/* Asks the server (which must speak msgpack on the connection) for all merges. Errors as export_walk; *out is NULL
 * then. */
enum err import_merged_load(struct import_merged **out, struct conn *conn, struct err_msg *msg) MUST_CHECK;
void import_merged_destroy(struct import_merged **merged);

/* Whether the student was merged into another one. */
bool import_merged_is(const struct import_merged *merged, struct slice student);

/* The ids that were merged into a student, directly or by way of others: *ids borrows; returns how many. */
size_t import_merged_into(const struct import_merged *merged, struct slice student, const struct slice **ids);

#endif
