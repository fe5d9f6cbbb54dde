#include "cli/import_aside.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/temp_file.h"

#include <unistd.h>

enum { WRITE_BYTES = 256 << 10, READ_BYTES = 32 << 10, PEEK_BYTES = 2 << 10 };

/* What stands before each row. The pointers mean something to this process only, as the whole file does. */
struct head {
        const char *table;
        const char *path;
        uint64_t line;
        uint64_t len;
};

struct import_aside {
        int file;            /* -1: nothing has been written */
        uint64_t written;    /* bytes in the file */
        struct buf fresh;    /* what comes behind them */
        struct buf read;     /* a piece of the file */
        uint64_t read_place; /* where in the file it begins */
};

enum err import_aside_create(struct import_aside **out)
{
        struct import_aside *aside = vc_calloc(1, sizeof(*aside));

        *out = aside;
        if (aside == NULL)
                return ERR_NOMEM;
        aside->file = -1;
        buf_init(&aside->fresh, 0);
        buf_init(&aside->read, 0);
        return OK;
}

void import_aside_destroy(struct import_aside **aside)
{
        if (*aside == NULL)
                return;
        if ((*aside)->file >= 0)
                (void)close((*aside)->file);
        buf_deinit(&(*aside)->fresh);
        buf_deinit(&(*aside)->read);
        vc_free(*aside);
        *aside = NULL;
}

uint64_t import_aside_end(const struct import_aside *aside)
{
        return aside->written + buf_len(&aside->fresh);
}

/* ---- adding ---- */

static enum err write_fresh(struct import_aside *aside, struct err_msg *msg)
{
        enum err rc = aside->file < 0 ? temp_file_open(&aside->file, msg) : OK;

        if (rc == OK)
                rc = temp_file_write(aside->file, aside->written, buf_slice(&aside->fresh), msg);
        if (rc != OK)
                return rc;
        aside->written += buf_len(&aside->fresh);
        buf_truncate(&aside->fresh, 0);
        return OK;
}

enum err import_aside_add(struct import_aside *aside, const struct import_line *line, uint64_t *at, struct err_msg *msg)
{
        const struct head head = {
                .table = line->table, .path = line->place.path, .line = line->place.line, .len = line->row.len};
        enum err rc = buf_reserve(&aside->fresh, sizeof(head) + line->row.len);

        *at = import_aside_end(aside);
        if (rc == OK)
                rc = buf_append(&aside->fresh, &head, sizeof(head));
        if (rc == OK)
                rc = buf_append_slice(&aside->fresh, line->row);
        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        return buf_len(&aside->fresh) < WRITE_BYTES ? OK : write_fresh(aside, msg);
}

/* ---- reading ---- */

/* Makes the piece in memory one that begins at `at` and has at least `len` bytes; a large one when rows are read one
 * after another. */
static enum err read_piece(struct import_aside *aside, uint64_t at, size_t len, struct err_msg *msg)
{
        bool follows = at >= aside->read_place && at <= aside->read_place + buf_len(&aside->read);
        size_t least = follows ? READ_BYTES : PEEK_BYTES;
        size_t more = len < least ? least : len;
        struct temp_file_room room;
        enum err rc;

        buf_truncate(&aside->read, 0);
        rc = buf_reserve(&aside->read, more);
        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        room = (struct temp_file_room){.data = aside->read.data, .len = more};
        rc = temp_file_read(aside->file, at, &room, msg);
        if (rc == OK && room.got < len)
                rc = err_set(msg, ERR_IO, "a temporary file was cut short");
        if (rc != OK)
                return rc;
        buf_added(&aside->read, room.got);
        aside->read_place = at;
        return OK;
}

/* The `len` bytes at `at`, from the piece in memory if they are there. */
static enum err bytes_at(struct import_aside *aside, uint64_t at, size_t len, struct slice *out, struct err_msg *msg)
{
        const struct buf *read = &aside->read;
        enum err rc = OK;

        if (at < aside->read_place || at + len > aside->read_place + buf_len(read))
                rc = read_piece(aside, at, len, msg);
        *out = rc == OK ? slice_of(buf_slice(read).data + (at - aside->read_place), len) : SLICE_EMPTY;
        return rc;
}

enum err import_aside_read(struct import_aside *aside, uint64_t *at, struct import_line *line, struct err_msg *msg)
{
        struct slice bytes;
        struct head head;
        enum err rc = buf_len(&aside->fresh) > 0 ? write_fresh(aside, msg) : OK;

        if (rc == OK)
                rc = bytes_at(aside, *at, sizeof(head), &bytes, msg);
        if (rc != OK)
                return rc;
        memcpy(&head, bytes.data, sizeof(head));
        rc = bytes_at(aside, *at + sizeof(head), (size_t)head.len, &bytes, msg);
        *line = (struct import_line){
                .table = head.table, .place = {.path = head.path, .line = head.line}, .row = bytes};
        *at += sizeof(head) + head.len;
        return rc;
}
