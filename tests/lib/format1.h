/* Databases of the store's first format, as its release wrote them, for tests of upgrades. */
#ifndef TESTS_LIB_FORMAT1_H
#define TESTS_LIB_FORMAT1_H

#include "base/slice.h"

#include <stdint.h>

struct format1;

/* Begins a database in the folder; all of its tables are of that schema number. What fails ends the test. */
struct format1 *format1_create(const char *folder, uint32_t schema);

/* A record of the empty tenant: the row {"student": …, "id": …, …} of a table, as JSON. */
void format1_put(struct format1 *format1, const char *table, struct slice row);

/* Writes what the database says of itself, closes it, nulls. Returns how many records it has. */
uint64_t format1_finish(struct format1 **format1);

#endif
