/* What an input of an import is, by its first bytes: names say little, and standard input has none. */
#ifndef CLI_IMPORT_LOOK_H
#define CLI_IMPORT_LOOK_H

#include "base/err.h"
#include "base/slice.h"

enum import_format { IMPORT_FORMAT_CSV, IMPORT_FORMAT_JSON };

/* The order of inputs: rows of unknown students have to wait, so students go first. */
enum import_order { IMPORT_ORDER_STUDENTS, IMPORT_ORDER_MERGES, IMPORT_ORDER_MIXED, IMPORT_ORDER_OTHERS };

struct import_look {
        enum import_format format;
        enum import_order order;
};

/* Looks at the first bytes (all, or INPUT_FIRST_BYTES) of the input `path`, whose name decides only between tables
 * whose columns are the same. ERR_NOTFOUND: it is understood, and nothing in it is kept: empty, or another table.
 * ERR_NOTYPE: it is of no kind that is read. ERR_BADVALUE: it may hold records, and has to be changed first; *msg says
 * how. ERR_NOMEM. Pure; any thread. */
enum err import_look(struct slice first, const char *path, struct import_look *out, struct err_msg *msg) MUST_CHECK;

#endif
