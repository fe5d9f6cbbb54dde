/* `--prefix`: what is put before the ids of students, so that the people of several sources cannot be taken for one
 * another. */
#ifndef IMPORT_IMPORT_PREFIX_H
#define IMPORT_IMPORT_PREFIX_H

#include "database/value.h"

/* Appends the row `row` of the table `table`, as the server's IMPORT takes it, with the prefix before what names a
 * student: `student`, the `id` of a row of students, `into` of a row of merges. What is no text stays as it is.
 * ERR_CORRUPT when the row is no map; errors as buf_append; *out is then as before. Pure but for *out; any thread. */
enum err import_prefix_put(const char *table, struct slice row, struct slice prefix, struct buf *out) MUST_CHECK;

#endif
