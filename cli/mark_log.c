#include "cli/mark_log.h"

#include "base/mem.h"
#include "cli/temp_file.h"

#include <string.h>
#include <unistd.h>

enum { BLOCK_MARKS = 255, NO_BLOCK = 0 };

/* Of one part. Blocks of a part are a chain in the file, the newest first, so nothing in memory grows with them. */
struct block {
        uint64_t before; /* where the block before it begins, plus one; NO_BLOCK: it is the first */
        struct mark marks[BLOCK_MARKS];
};

struct part {
        uint64_t count;     /* of marks, in all blocks */
        size_t held;        /* of them in `open` */
        struct block *open; /* not yet written; made at the first mark */
        uint64_t before;    /* as in struct block */
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

static enum err write_block(struct mark_log *log, struct part *part, struct err_msg *msg)
{
        enum err rc = log->file < 0 ? temp_file_open(&log->file, msg) : OK;

        part->open->before = part->before;
        if (rc == OK)
                rc = temp_file_write(log->file, log->end, slice_of(part->open, sizeof(*part->open)), msg);
        if (rc != OK)
                return rc;
        part->before = log->end + 1;
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

enum err mark_log_read(const struct mark_log *log, unsigned part, struct mark *out, struct err_msg *msg)
{
        const struct part *from = &log->parts[part];
        uint64_t before = from->before;
        struct block block;
        enum err rc = OK;

        if (from->held > 0)
                memcpy(out, from->open->marks, from->held * sizeof(*out));
        out += from->held;
        while (rc == OK && before != NO_BLOCK) {
                struct temp_file_room room = {.data = &block, .len = sizeof(block)};

                rc = temp_file_read(log->file, before - 1, &room, msg);
                if (rc == OK && room.got < room.len)
                        rc = err_set(msg, ERR_IO, "a temporary file was cut short");
                if (rc != OK)
                        break;
                memcpy(out, block.marks, sizeof(block.marks));
                out += BLOCK_MARKS;
                before = block.before;
        }
        return rc;
}
