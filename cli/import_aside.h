/* Rows put aside until the end of the input, in a file of their own (cli/temp_file.h) that is made when the first rows
 * do not fit into a small buffer any more. Memory: that buffer and another one to read with, whatever the number of
 * rows. Not thread-safe: one owner. */
#ifndef CLI_IMPORT_ASIDE_H
#define CLI_IMPORT_ASIDE_H

#include "base/err.h"
#include "cli/import_line.h"

struct import_aside;

/* ERR_NOMEM; *out is NULL then. */
enum err import_aside_create(struct import_aside **out) MUST_CHECK;
void import_aside_destroy(struct import_aside **aside);

/* Adds a row (a copy; table and path stay borrowed). *at is its place, greater than that of the row before. ERR_IO,
 * ERR_NOMEM. */
enum err import_aside_add(
        struct import_aside *aside, const struct import_line *line, uint64_t *at, struct err_msg *msg) MUST_CHECK;

/* The first place behind all rows. */
uint64_t import_aside_end(const struct import_aside *aside);

/* Reads the row at *at, which moves to the next one; line->row is borrowed until the next call. To read all: from 0
 * while *at is less than import_aside_end(). ERR_IO, ERR_NOMEM. */
enum err import_aside_read(
        struct import_aside *aside, uint64_t *at, struct import_line *line, struct err_msg *msg) MUST_CHECK;

#endif
