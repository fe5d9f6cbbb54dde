/* The bytes of one input of an import: a file, a pipe or standard input, unpacked if it is gzip (by its first bytes,
 * not by its name; several members one after the other are one stream, as for gunzip).
 *
 * It is opened once and read once, forwards: its beginning can be looked at before it is read, so that pipes work as
 * files do. Holds two buffers of a megabyte at most, whatever the input's size. One owner at a time. */
#ifndef CLI_IMPORT_INPUT_H
#define CLI_IMPORT_INPUT_H

#include "base/err.h"
#include "base/slice.h"

enum { INPUT_FIRST_BYTES = 1 << 16, INPUT_PIECE_BYTES = 1 << 20 };

struct import_input;

/* Opens the file `path`; with `fd` not negative, reads that descriptor, which stays the caller's, and `path` (borrowed
 * in both cases) is only its name in messages. Waits until the first bytes are there. ERR_IO names the path and the
 * problem, in damaged gzip data the offset as well; ERR_NOMEM. *out is NULL then. */
enum err import_input_open(struct import_input **out, const char *path, int fd, struct err_msg *msg) MUST_CHECK;
void import_input_close(struct import_input **input);

/* The first INPUT_FIRST_BYTES of what the input holds, unpacked; all of it when it is shorter. Valid, and the same,
 * until the first read. */
struct slice import_input_first(const struct import_input *input);

/* The next piece, at most INPUT_PIECE_BYTES, valid until the next call; empty at the end. ERR_IO as in open, and when a
 * file ends before the size that it had then: half an export must not pass for a whole one. */
enum err import_input_read(struct import_input *input, struct slice *piece, struct err_msg *msg) MUST_CHECK;

/* Bytes taken from the file so far (packed ones, if it is packed). */
uint64_t import_input_done(const struct import_input *input);

#endif
