/* Records and students to be removed from the server: gathered, sent many at a time, counted in the report. Not
 * thread-safe: one owner. */
#ifndef CLI_IMPORT_ERASE_H
#define CLI_IMPORT_ERASE_H

#include "cli/import_report.h"
#include "cli/import_reply.h"
#include "cli/import_seen.h"

struct import_erase;

/* Borrows both; nothing may be on its way on the connection when the calls below are made, nor is afterwards.
 * ERR_NOMEM, and errors of import_reply_limits; *out is NULL then. */
enum err import_erase_create(
        struct import_erase **out, struct conn *conn, struct import_report *report, struct err_msg *msg) MUST_CHECK;
void import_erase_destroy(struct import_erase **erase);

/* Removes the record of that name; of the table "students", the student with all records. May be done later.
 * ERR_UNAVAILABLE: the connection broke. ERR_INTERNAL: the server's error. ERR_NOMEM. */
enum err import_erase_add(struct import_erase *erase, const struct import_name *name, struct err_msg *msg) MUST_CHECK;

/* Waits until all that was added is removed. Errors as above. */
enum err import_erase_finish(struct import_erase *erase, struct err_msg *msg) MUST_CHECK;

#endif
