/* Marks of rows, written down as they come and read back in parts: what an import must remember of every row, on disk
 * instead of in memory.
 *
 * A mark names a row by 128 bits of hash and goes into the part that the first 8 bits of its name say, so marks of one
 * name are always in one part, and a part is 1/256 of the whole: small enough to be read into memory and sorted.
 * Memory: 2 MB for the unfinished blocks of the parts; the rest is a file (cli/temp_file.h), made when the first block
 * is full. Not thread-safe: one owner. */
#ifndef CLI_MARK_LOG_H
#define CLI_MARK_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_LOG_PARTS = 256, MARK_LOG_PIECE = 255 };

struct mark {
        uint64_t name[2]; /* hash of what makes the row the one that it is */
        uint64_t content; /* hash of the row */
        uint64_t ticket;  /* the owner's; 0: none */
};

struct mark_log;

/* ERR_NOMEM; *out is NULL then. */
enum err mark_log_create(struct mark_log **out) MUST_CHECK;
void mark_log_destroy(struct mark_log **log);

/* Adds a mark. ERR_IO: the file cannot be made or written. */
enum err mark_log_add(struct mark_log *log, const struct mark *mark, struct err_msg *msg) MUST_CHECK;

/* The part that a mark belongs to. */
static inline unsigned mark_log_part(const struct mark *mark)
{
        return (unsigned)(mark->name[0] >> 56);
}

/* How many marks the part has, and how many all parts have. */
uint64_t mark_log_count(const struct mark_log *log, unsigned part);
uint64_t mark_log_total(const struct mark_log *log);

/* Copies the marks of a part, in the order in which they came, to `out`, which has room for mark_log_count() of them.
 * ERR_IO. */
enum err mark_log_read(const struct mark_log *log, unsigned part, struct mark *out, struct err_msg *msg) MUST_CHECK;

/* The same piece by piece; no mark may be added meanwhile. */
struct mark_log_cursor {
        unsigned part;
        uint64_t next; /* the owner's */
        uint64_t left; /* marks not yet read */
};

/* Begins at the first mark of a part. */
void mark_log_begin(const struct mark_log *log, unsigned part, struct mark_log_cursor *cursor);

/* Copies the next marks to `out`, which has room for MARK_LOG_PIECE of them; *count is how many, 0 at the end. */
enum err mark_log_next(const struct mark_log *log, struct mark_log_cursor *cursor, struct mark *out, size_t *count,
        struct err_msg *msg) MUST_CHECK;

#endif
