/* Names of tables that come from an input, kept for the time of an import: those who count rows by table hold on to the
 * names beyond the reading of one input. Not thread-safe: one owner. */
#ifndef IMPORT_IMPORT_NAMES_H
#define IMPORT_IMPORT_NAMES_H

#include "base/arena.h"
#include "base/err.h"

enum { IMPORT_NAMES_MAX = 64, IMPORT_NAMES_LENGTH = 48 };

struct import_names {
        struct arena arena;
        const char *names[IMPORT_NAMES_MAX];
        size_t count;
};

/* No names yet. */
void import_names_init(struct import_names *names);
/* Frees them all. */
void import_names_deinit(struct import_names *names);

/* The name, terminated, the same pointer at each call; valid until deinit. ERR_BADVALUE: it is not the name of a table
 * (small letters, digits and underscores, at most IMPORT_NAMES_LENGTH of them), or there are too many of them;
 * ERR_NOMEM. *out is NULL then. */
enum err import_names_get(struct import_names *names, struct slice name, const char **out) MUST_CHECK;

#endif
