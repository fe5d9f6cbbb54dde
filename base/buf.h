/* A growing, contiguous byte buffer with a limit. Bytes are appended at the end and consumed at the front:
 *
 *      [ consumed | start ... end = readable | room ]
 *
 * An empty buffer holds no trace of what was in it, so that a block which is kept for reuse keeps no patient's data.
 * Used for sockets (read into buf_reserve, parse buf_slice, buf_consume) and for building replies. Consuming all of it
 * rewinds to the front for free; room is made by sliding what is left before the block grows. Not thread-safe: one
 * owner. The struct is visible on purpose, so that the hit path appends without a call. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/slice.h"

struct buf {
        uint8_t *data;
        size_t start;
        size_t end;
        size_t cap;
        size_t limit; /* the most readable bytes; 0: none but memory */
};

/* An empty buffer that owns no memory yet. */
static inline void buf_init(struct buf *b, size_t limit)
{
        *b = (struct buf){NULL, 0, 0, 0, limit};
}

/* Frees the block; the buffer is empty and usable afterwards. */
void buf_deinit(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
        return b->end - b->start;
}

/* What is readable; borrowed until the next call that changes the buffer. */
static inline struct slice buf_slice(const struct buf *b)
{
        return b->data == NULL ? SLICE_EMPTY : slice_of(b->data + b->start, b->end - b->start);
}

static inline size_t buf_room(const struct buf *b)
{
        return b->cap - b->end;
}

/* Makes room for at least `more` bytes after the end. ERR_NOMEM, or ERR_LIMIT when the limit would be passed; then
 * nothing has changed. */
enum err buf_reserve(struct buf *b, size_t more) MUST_CHECK;

/* Whether `len` more bytes fit as it is: then buf_reserve would do nothing. */
static inline bool buf_fits(const struct buf *b, size_t len)
{
        return len <= b->cap - b->end && (b->limit == 0 || len <= b->limit - buf_len(b));
}

/* Appends. Errors as buf_reserve. */
enum err buf_append_slow(struct buf *b, const void *data, size_t len) MUST_CHECK;

static inline enum err MUST_CHECK buf_append(struct buf *b, const void *data, size_t len)
{
        if (__builtin_expect(!buf_fits(b, len), 0))
                return buf_append_slow(b, data, len);
        if (len > 0)
                memcpy(b->data + b->end, data, len);
        b->end += len;
        return OK;
}

static inline enum err MUST_CHECK buf_append_slice(struct buf *b, struct slice s)
{
        return buf_append(b, s.data, s.len);
}

static inline enum err MUST_CHECK buf_append_str(struct buf *b, const char *text)
{
        return buf_append(b, text, strlen(text));
}

/* printf-style append. Errors as buf_reserve. */
enum err buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3))) MUST_CHECK;

/* The caller has written `len` bytes into the room that buf_reserve made. */
static inline void buf_added(struct buf *b, size_t len)
{
        VC_ASSERT(len <= buf_room(b));
        b->end += len;
}

/* Overwrites what was in a block, by pieces so small that memset writes them with ordinary stores: the instruction that
 * it has for larger ones takes longer to begin than these take to end. */
static inline void buf_wipe(uint8_t *data, size_t len)
{
        enum { PIECE_MAX = 1024 };

        while (len > 0) {
                size_t piece = len < PIECE_MAX ? len : PIECE_MAX;

                explicit_bzero(data, piece);
                data += piece;
                len -= piece;
        }
}

/* Drops `len` readable bytes from the front; when none are left, what was there is overwritten. */
static inline void buf_consume(struct buf *b, size_t len)
{
        VC_ASSERT(len <= buf_len(b));
        b->start += len;
        if (b->start == b->end) {
                if (b->end > 0)
                        buf_wipe(b->data, b->end);
                b->start = b->end = 0;
        }
}

/* Drops the newest bytes, so that `len` readable ones are left, and overwrites them. */
static inline void buf_truncate(struct buf *b, size_t len)
{
        VC_ASSERT(len <= buf_len(b));
        if (len < buf_len(b))
                memset(b->data + b->start + len, 0, buf_len(b) - len);
        b->end = b->start + len;
}

/* Gives back the block of an empty buffer, or the part above `keep` bytes, if it is larger than `keep`: what one huge
 * reply needed is not held for ever. */
void buf_shrink(struct buf *b, size_t keep);

#endif
