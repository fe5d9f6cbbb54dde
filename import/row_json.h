/* Rows as lines of JSON, the form that vitalcache itself writes and reads back: exports and rejects files.
 *
 *      {"table": "allergies", "row": {"student": "42", "id": "7", …, "resource": {…}}}
 *
 * In a row (a msgpack map) the member `resource`, the original that a record was made of, is JSON text; in the line it
 * is that JSON itself, byte for byte. */
#ifndef IMPORT_ROW_JSON_H
#define IMPORT_ROW_JSON_H

#include "base/buf.h"

/* Appends the line of a row of a table, without a newline. ERR_CORRUPT when `row` is not a map; errors as buf_append;
 * *out is then as before. Pure but for *out; any thread. */
enum err row_json_put(const char *table, struct slice row, struct buf *out) MUST_CHECK;

#endif
