#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

enum { BUF_FIRST = 512 };

void buf_deinit(struct buf *b)
{
        vc_free(b->data);
        buf_init(b, b->limit);
}

static void slide_to_front(struct buf *b)
{
        size_t len = buf_len(b);

        if (b->start == 0)
                return;
        memmove(b->data, b->data + b->start, len);
        memset(b->data + len, 0, b->end - len);
        b->start = 0;
        b->end = len;
}

enum err buf_reserve(struct buf *b, size_t more)
{
        size_t used = buf_len(b);
        size_t cap = b->cap == 0 ? BUF_FIRST : b->cap;
        uint8_t *data;

        if (b->limit != 0 && (used > b->limit || more > b->limit - used))
                return ERR_LIMIT;
        if (buf_room(b) >= more)
                return OK;
        if (more > SIZE_MAX / 2 - used)
                return ERR_NOMEM;
        /* Slide only when at least half of the block is free, so that sliding is paid for by what was consumed. */
        if (used + more <= b->cap / 2 || (b->start > 0 && used + more <= b->cap && used <= b->start)) {
                slide_to_front(b);
                return OK;
        }
        while (cap < used + more)
                cap *= 2;
        slide_to_front(b);
        if (cap == b->cap)
                return OK;
        data = vc_realloc(b->data, cap);
        if (data == NULL)
                return ERR_NOMEM;
        b->data = data;
        b->cap = cap;
        return OK;
}

enum err buf_append_slow(struct buf *b, const void *data, size_t len)
{
        enum err rc = buf_reserve(b, len);

        if (rc != OK)
                return rc;
        if (len > 0)
                memcpy(b->data + b->end, data, len);
        b->end += len;
        return OK;
}

/* What can be appended to the block as it is. */
static size_t room_now(const struct buf *b)
{
        const size_t room = buf_room(b);
        const size_t left = b->limit - buf_len(b);

        return b->limit != 0 && left < room ? left : room;
}

/* Mostly it fits, and is printed once. */
enum err buf_printf(struct buf *b, const char *format, ...)
{
        const size_t room = room_now(b);
        va_list args;
        va_list again;
        enum err rc = OK;
        int need;

        va_start(args, format);
        va_copy(again, args);
        need = vsnprintf(room == 0 ? NULL : (char *)b->data + b->end, room, format, args);
        va_end(args);
        if (need < 0 || (size_t)need >= room) {
                if (room > 0)
                        memset(b->data + b->end, 0, room); /* what was begun */
                rc = need < 0 ? ERR_INTERNAL : buf_reserve(b, (size_t)need + 1);
                if (rc == OK)
                        (void)vsnprintf((char *)b->data + b->end, (size_t)need + 1, format, again);
        }
        if (rc == OK)
                b->end += (size_t)need;
        va_end(again);
        return rc;
}

void buf_shrink(struct buf *b, size_t keep)
{
        size_t want = buf_len(b) > keep ? buf_len(b) : keep;
        uint8_t *data;

        if (b->cap <= want)
                return;
        slide_to_front(b);
        if (want == 0) {
                buf_deinit(b);
                return;
        }
        data = vc_realloc(b->data, want);
        if (data == NULL) /* keeping the larger block is correct, only less thrifty */
                return;
        b->data = data;
        b->cap = want;
}
