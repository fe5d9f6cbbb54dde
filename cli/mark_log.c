#include "cli/mark_log.h"

#include "base/mem.h"
#include "cli/temp_file.h"

#include <string.h>
#include <unistd.h>

enum { BLOCK_MARKS = MARK_LOG_PIECE, NO_BLOCK = 0 };

/* Of one part. Blocks of a part are a chain in the file, the oldest first, so nothing in memory grows with them: when a
 * block is written, its place is written into the one before it. */
struct block {
        uint64_t next; /* where the block after it begins, plus one; NO_BLOCK: it is the last in the file */
        struct mark marks[BLOCK_MARKS];
};

struct part {
        uint64_t count;     /* of marks, in all blocks */
        size_t held;        /* of them in `open` */
        struct block *open; /* not yet written; made at the first mark */
        uint64_t first;     /* as `next` in struct block */
        uint64_t last;
};

struct mark_log {
        int file; /* -1: no block has been full */
        uint64_t end;
        struct part parts[MARK_LOG_PARTS];
};

enum err mark_log_create(struct mark_log **out)
{
        struct mark_log *log = vc_calloc(1, sizeof(*log));

        *out = log;
        if (log == NULL)
                return ERR_NOMEM;
        log->file = -1;
        return OK;
}

void mark_log_destroy(struct mark_log **log)
{
        if (*log == NULL)
                return;
        for (size_t i = 0; i < MARK_LOG_PARTS; i++)
                vc_free((*log)->parts[i].open);
        if ((*log)->file >= 0)
                (void)close((*log)->file);
        vc_free(*log);
        *log = NULL;
}

/* Makes the newest block of a part the next one of the block before it. */
static enum err link_block(struct mark_log *log, struct part *part, struct err_msg *msg)
{
        const uint64_t place = log->end + 1;
        enum err rc = OK;

        if (part->first == NO_BLOCK)
                part->first = place;
        else
                rc = temp_file_write(log->file, part->last - 1, slice_of(&place, sizeof(place)), msg);
        part->last = place;
        return rc;
}

static enum err write_block(struct mark_log *log, struct part *part, struct err_msg *msg)
{
        enum err rc = log->file < 0 ? temp_file_open(&log->file, msg) : OK;

        part->open->next = NO_BLOCK;
        if (rc == OK)
                rc = temp_file_write(log->file, log->end, slice_of(part->open, sizeof(*part->open)), msg);
        if (rc == OK)
                rc = link_block(log, part, msg);
        if (rc != OK)
                return rc;
        part->held = 0;
        log->end += sizeof(*part->open);
        return OK;
}

enum err mark_log_add(struct mark_log *log, const struct mark *mark, struct err_msg *msg)
{
        struct part *part = &log->parts[mark_log_part(mark)];

        if (part->open == NULL) {
                part->open = vc_calloc(1, sizeof(*part->open));
                if (part->open == NULL)
                        return err_set(msg, ERR_NOMEM, "out of memory");
        }
        part->open->marks[part->held++] = *mark;
        part->count++;
        return part->held == BLOCK_MARKS ? write_block(log, part, msg) : OK;
}

uint64_t mark_log_count(const struct mark_log *log, unsigned part)
{
        return log->parts[part].count;
}

uint64_t mark_log_total(const struct mark_log *log)
{
        uint64_t total = 0;

        for (unsigned i = 0; i < MARK_LOG_PARTS; i++)
                total += log->parts[i].count;
        return total;
}

void mark_log_begin(const struct mark_log *log, unsigned part, struct mark_log_cursor *cursor)
{
        *cursor =
                (struct mark_log_cursor){.part = part, .next = log->parts[part].first, .left = log->parts[part].count};
}

static enum err read_block(const struct mark_log *log, uint64_t place, struct block *block, struct err_msg *msg)
{
        struct temp_file_room room = {.data = block, .len = sizeof(*block)};
        enum err rc = temp_file_read(log->file, place - 1, &room, msg);

        return rc == OK && room.got < room.len ? err_set(msg, ERR_IO, "a temporary file was cut short") : rc;
}

enum err mark_log_next(const struct mark_log *log, struct mark_log_cursor *cursor, struct mark *out, size_t *count,
        struct err_msg *msg)
{
        const struct part *part = &log->parts[cursor->part];
        struct block block;
        enum err rc;

        *count = cursor->left < BLOCK_MARKS ? (size_t)cursor->left : BLOCK_MARKS;
        cursor->left -= *count;
        if (cursor->next == NO_BLOCK) {
                if (*count > 0)
                        memcpy(out, part->open->marks, *count * sizeof(*out));
                return OK;
        }
        rc = read_block(log, cursor->next, &block, msg);
        if (rc != OK)
                return rc;
        memcpy(out, block.marks, sizeof(block.marks));
        cursor->next = block.next;
        return OK;
}

enum err mark_log_read(const struct mark_log *log, unsigned part, struct mark *out, struct err_msg *msg)
{
        struct mark_log_cursor cursor;
        enum err rc = OK;

        mark_log_begin(log, part, &cursor);
        while (rc == OK && cursor.left > 0) {
                size_t count;

                rc = mark_log_next(log, &cursor, out, &count, msg);
                out += count;
        }
        return rc;
}
