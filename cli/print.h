/* Values on a terminal, or as JSON for programs. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include "database/value.h"

#include <stdio.h>

/* One line of JSON. ERR_NOMEM; ERR_CORRUPT when `value` is not a value. */
enum err print_json(FILE *out, struct slice value) MUST_CHECK;

/* For people: a list of maps as a table, a map as lines of name and value, what is in it indented. Long cells are cut
 * to 40 characters; columns that do not fit into `width` are left out, and named below. Control characters of any kind
 * are shown as '?', so that no record can play with the terminal. ERR_NOMEM; ERR_CORRUPT. */
enum err print_human(FILE *out, struct slice value, size_t width) MUST_CHECK;

/* Copies `text` into `out`, cut at the size, fit for a terminal and for JSON: control characters, and all beyond ASCII
 * when it is not UTF-8, become '?'. For what comes from outside and is shown: paths, kinds of resources. */
void print_plain(char *out, size_t size, const char *text);

/* The width of the terminal that `out` is; 100 when it is none. */
size_t print_width(FILE *out);

#endif
