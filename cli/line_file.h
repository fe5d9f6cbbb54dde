/* A file of lines of JSON that patient data is written to, as an export's or what an import leaves out. It is made with
 * access for its owner alone (0600), is not made before there is something to put into it, and never takes the place of
 * another file. Not thread-safe: one owner. */
#ifndef CLI_LINE_FILE_H
#define CLI_LINE_FILE_H

#include "base/buf.h"

struct line_file;

/* For the file `path` (borrowed; NULL: nothing is kept); `what` (a literal) names in messages what is in it. ERR_IO
 * when something has that name already, or its folder cannot be written to: better now than after half of the work.
 * ERR_NOMEM. *out is NULL then. */
enum err line_file_create(struct line_file **out, const char *path, const char *what, struct err_msg *msg) MUST_CHECK;

/* Whether lines are kept. */
bool line_file_wanted(const struct line_file *file);

/* Where the caller appends a line, without the newline; line_file_add follows. */
struct buf *line_file_begin(struct line_file *file);

/* Takes the line that was begun. ERR_IO with the path and the problem (a disk that is full is an error: nothing may get
 * lost); ERR_NOMEM. */
enum err line_file_add(struct line_file *file, struct err_msg *msg) MUST_CHECK;

/* Writes all that was added, and waits until it is on the disk. Errors as above. */
enum err line_file_finish(struct line_file *file, struct err_msg *msg) MUST_CHECK;

/* Lines in the file. */
uint64_t line_file_count(const struct line_file *file);

/* Closes the file, which stays. NULL is a no-op. */
void line_file_destroy(struct line_file **file);

#endif
