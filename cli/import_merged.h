/* Which students were merged into which: a record that comes under one id is kept under another. Memory: about a
 * hundred bytes for each merged id. Not thread-safe: one owner. */
#ifndef CLI_IMPORT_MERGED_H
#define CLI_IMPORT_MERGED_H

#include "base/slice.h"
#include "cli/conn.h"

struct import_merged;

/* Nobody is merged. `seed` is random, so that nobody can choose ids that slow it down. ERR_NOMEM; *out is NULL then. */
enum err import_merged_create(struct import_merged **out, uint64_t seed) MUST_CHECK;
void import_merged_destroy(struct import_merged **merged);

/* Adds all merges that the server (which must speak msgpack on the connection) has. Errors as export_walk. */
enum err import_merged_load(struct import_merged *merged, struct conn *conn, struct err_msg *msg) MUST_CHECK;

/* Adds the merge that a row of the table merges says, {student, into}; nothing when it says none, or one of a student
 * who is merged already. ERR_NOMEM. */
enum err import_merged_add(struct import_merged *merged, struct slice row) MUST_CHECK;

/* Whether the student was merged into another one. */
bool import_merged_is(const struct import_merged *merged, struct slice student);

/* Whose records are meant by the id: the end of the chain of merges, which is the student itself when there is none.
 * Borrows from the argument or from `merged`. */
struct slice import_merged_root(const struct import_merged *merged, struct slice student);

/* Prepares import_merged_into(), for which nothing may be added any more. ERR_NOMEM. */
enum err import_merged_list(struct import_merged *merged) MUST_CHECK;

/* The ids that were merged into a student, directly or by way of others: *ids borrows; returns how many. */
size_t import_merged_into(const struct import_merged *merged, struct slice student, const struct slice **ids);

#endif
