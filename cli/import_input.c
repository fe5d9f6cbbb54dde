#include "cli/import_input.h"

#include "base/buf.h"
#include "base/mem.h"

#include <zlib.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct import_input {
        const char *path;
        int fd;
        bool owns_fd;
        bool ended; /* the file */
        bool packed;
        bool between; /* packed: no member is under way */
        z_stream zip;
        uint64_t done;
        uint64_t size;
        struct buf raw;   /* read and not yet unpacked or given */
        struct buf first; /* the beginning, until it is given and the next piece is asked for */
        bool first_given;
        struct buf piece; /* the piece given last */
};

/* ---- from the file ---- */

/* Appends what one read() gives, at most `most` bytes; none at the end. */
static enum err read_raw(struct import_input *in, size_t most, struct err_msg *msg)
{
        enum err rc = buf_reserve(&in->raw, most);
        ssize_t got;

        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        do
                got = read(in->fd, in->raw.data + in->raw.end, most);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return err_errno(msg, ERR_IO, errno, "cannot read %s", in->path);
        buf_added(&in->raw, (size_t)got);
        in->done += (size_t)got;
        in->ended = got == 0;
        if (in->ended && in->done < in->size) /* half an export, and with --full --replace the end of the other half */
                return err_set(
                        msg, ERR_IO, "%s became shorter while it was read; is it still being written?", in->path);
        return OK;
}

/* ---- unpacking ---- */

static void *zip_alloc(void *context, unsigned count, unsigned size)
{
        (void)context;
        return vc_calloc(count, size);
}

static void zip_free(void *context, void *block)
{
        (void)context;
        vc_free(block);
}

static enum err start_unpacking(struct import_input *in, struct err_msg *msg)
{
        enum { GZIP_ONLY = 16 };

        in->zip.zalloc = zip_alloc;
        in->zip.zfree = zip_free;
        if (inflateInit2(&in->zip, MAX_WBITS + GZIP_ONLY) != Z_OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        in->packed = true;
        in->between = true;
        return OK;
}

static enum err damaged(const struct import_input *in, struct err_msg *msg)
{
        return err_set(msg, ERR_IO, "%s: its gzip data is damaged at byte %llu (%s); get the file again", in->path,
                (unsigned long long)(in->done - buf_len(&in->raw)), in->zip.msg == NULL ? "" : in->zip.msg);
}

/* Begins the next member, behind the zeros that tapes and block devices leave between members and at the end. */
static void begin_member(struct import_input *in)
{
        struct slice raw = buf_slice(&in->raw);
        size_t zeros = 0;

        while (zeros < raw.len && raw.data[zeros] == 0)
                zeros++;
        buf_consume(&in->raw, zeros);
        in->between = zeros == raw.len;
        if (!in->between)
                (void)inflateReset(&in->zip); /* fails only for a stream that was never begun */
}

/* Unpacks what has been read, and what zlib still holds of it, until `out` is `most` bytes long. */
static enum err unpack_raw(struct import_input *in, struct buf *out, size_t most, struct err_msg *msg)
{
        struct slice raw = buf_slice(&in->raw);
        size_t room = most - buf_len(out);
        int result;

        in->zip.next_in = (Bytef *)(uintptr_t)raw.data; /* zlib takes no const, and changes none */
        in->zip.avail_in = (unsigned)raw.len;
        in->zip.next_out = out->data + out->end;
        in->zip.avail_out = (unsigned)room;
        result = inflate(&in->zip, Z_NO_FLUSH);
        buf_added(out, room - in->zip.avail_out);
        buf_consume(&in->raw, raw.len - in->zip.avail_in);
        if (result == Z_MEM_ERROR)
                return err_set(msg, ERR_NOMEM, "out of memory");
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
                return damaged(in, msg);
        in->between = result == Z_STREAM_END;
        return OK;
}

static enum err cut_off(const struct import_input *in, struct err_msg *msg)
{
        return err_set(msg, ERR_IO, "%s: its gzip data ends too early, at byte %llu; get the file again", in->path,
                (unsigned long long)in->done);
}

/* Appends unpacked bytes to `out`, which has the room to be `most` bytes long, and is shorter; none at the end. */
static enum err unpack_more(struct import_input *in, struct buf *out, size_t most, struct err_msg *msg)
{
        size_t before = buf_len(out);
        enum err rc = OK;

        while (rc == OK && buf_len(out) == before) {
                if (buf_len(&in->raw) == 0 && in->ended && in->between)
                        break;
                if (in->between)
                        begin_member(in);
                else
                        rc = unpack_raw(in, out, most, msg);
                if (rc != OK || buf_len(out) > before || buf_len(&in->raw) > 0)
                        continue;
                if (in->ended && !in->between)
                        return cut_off(in, msg);
                rc = read_raw(in, INPUT_PIECE_BYTES, msg);
        }
        return rc;
}

/* ---- opening ---- */

static enum err unpack_first(struct import_input *in, struct err_msg *msg)
{
        enum err rc = OK;
        size_t before;

        do {
                before = buf_len(&in->first);
                rc = unpack_more(in, &in->first, INPUT_FIRST_BYTES, msg);
        } while (rc == OK && buf_len(&in->first) > before && buf_len(&in->first) < INPUT_FIRST_BYTES);
        return rc;
}

/* Gathers the beginning. */
static enum err gather_first(struct import_input *in, struct err_msg *msg)
{
        static const uint8_t magic[] = {0x1f, 0x8b};
        struct slice raw;
        enum err rc = OK;

        while (rc == OK && !in->ended && buf_len(&in->raw) < INPUT_FIRST_BYTES)
                rc = read_raw(in, INPUT_FIRST_BYTES - buf_len(&in->raw), msg);
        raw = buf_slice(&in->raw);
        if (rc == OK && raw.len >= sizeof(magic) && memcmp(raw.data, magic, sizeof(magic)) == 0)
                rc = start_unpacking(in, msg);
        if (rc == OK && buf_reserve(&in->first, INPUT_FIRST_BYTES) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        if (rc != OK || in->packed)
                return rc == OK ? unpack_first(in, msg) : rc;
        rc = buf_append_slice(&in->first, raw);
        buf_consume(&in->raw, raw.len);
        return rc;
}

/* What is left to read of a file; 0: not known. Another program may have read some of standard input before. */
static uint64_t size_left(int fd)
{
        struct stat info;
        off_t at = lseek(fd, 0, SEEK_CUR);

        if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || at < 0 || at > info.st_size)
                return 0;
        return (uint64_t)(info.st_size - at);
}

static enum err open_file(struct import_input *in, int fd, struct err_msg *msg)
{

        in->owns_fd = fd < 0;
        in->fd = fd < 0 ? open(in->path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : fd;
        if (in->fd < 0)
                return err_errno(msg, ERR_IO, errno, "cannot open %s", in->path);
        in->size = size_left(in->fd);
        (void)posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: pipes take none */
        return OK;
}

enum err import_input_open(struct import_input **out, const char *path, int fd, struct err_msg *msg)
{
        struct import_input *in = vc_calloc(1, sizeof(*in));
        enum err rc;

        *out = NULL;
        if (in == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        in->path = path;
        buf_init(&in->raw, 0);
        buf_init(&in->first, INPUT_FIRST_BYTES);
        buf_init(&in->piece, 0);
        rc = open_file(in, fd, msg);
        if (rc == OK)
                rc = gather_first(in, msg);
        if (rc == OK)
                *out = in;
        else
                import_input_close(&in);
        return rc;
}

void import_input_close(struct import_input **input)
{
        struct import_input *in = *input;

        if (in == NULL)
                return;
        if (in->packed)
                (void)inflateEnd(&in->zip);
        if (in->owns_fd && in->fd >= 0)
                (void)close(in->fd);
        buf_deinit(&in->raw);
        buf_deinit(&in->first);
        buf_deinit(&in->piece);
        vc_free(in);
        *input = NULL;
}

/* ---- reading ---- */

struct slice import_input_first(const struct import_input *input)
{
        return buf_slice(&input->first);
}

enum err import_input_read(struct import_input *input, struct slice *piece, struct err_msg *msg)
{
        struct buf *given = input->packed ? &input->piece : &input->raw;
        enum err rc;

        *piece = SLICE_EMPTY;
        if (!input->first_given && buf_len(&input->first) > 0) {
                *piece = buf_slice(&input->first);
                input->first_given = true;
                return OK;
        }
        buf_deinit(&input->first);
        buf_truncate(given, 0);
        if (!input->packed) {
                rc = input->ended ? OK : read_raw(input, INPUT_PIECE_BYTES, msg);
        } else {
                rc = buf_reserve(given, INPUT_PIECE_BYTES);
                rc = rc == OK ? unpack_more(input, given, INPUT_PIECE_BYTES, msg) : err_set(msg, rc, "out of memory");
        }
        *piece = buf_slice(given);
        return rc;
}

uint64_t import_input_done(const struct import_input *input)
{
        return input->done;
}
