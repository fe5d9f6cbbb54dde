/* The rejects file of an import: what was left out, a line of JSON each, with why and where it stands, so that it can
 * be mended and imported again:
 *
 *      {"file": "a/allergies.csv", "line": 17, "field": "START", "reason": "date", "text": "not a date", "origin": {…}}
 *
 * It is the one place outside the database that patient data is written to. So it is made with access for its owner
 * alone (0600), is not made before there is something to put into it, and never takes the place of another file. */
#ifndef CLI_IMPORT_REJECTS_H
#define CLI_IMPORT_REJECTS_H

#include "import/import_sink.h"

#include <stdbool.h>
#include <stdint.h>

struct import_rejects;

/* For the file `path` (borrowed); with NULL nothing is kept. ERR_IO when something has that name already, or its
 * folder cannot be written to: better now than after half an import. ERR_NOMEM. *out is NULL then. */
enum err import_rejects_create(struct import_rejects **out, const char *path, struct err_msg *msg) MUST_CHECK;

/* Whether lines are kept: what stands in them need not be gathered otherwise. */
bool import_rejects_wanted(const struct import_rejects *rejects);

/* Adds a line; `input` is the file that it was left out of. ERR_IO with the path and the problem (a disk that is full
 * is an error: nothing may get lost); ERR_CORRUPT; ERR_NOMEM. */
enum err import_rejects_add(struct import_rejects *rejects, const char *input, const struct import_bad *bad,
        struct err_msg *msg) MUST_CHECK;

/* Writes all that was added, and waits until it is on the disk. Errors as above. */
enum err import_rejects_finish(struct import_rejects *rejects, struct err_msg *msg) MUST_CHECK;

/* Lines in the file. */
uint64_t import_rejects_count(const struct import_rejects *rejects);

/* Closes the file, which stays. NULL is a no-op. */
void import_rejects_destroy(struct import_rejects **rejects);

#endif
