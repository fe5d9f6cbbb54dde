#include "cli/import_rejects.h"

#include "base/mem.h"
#include "cli/print.h"
#include "database/value_json.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 16 };

struct import_rejects {
        const char *path; /* NULL: nothing is kept */
        int fd;           /* -1: not made yet */
        uint64_t count;
        struct buf lines; /* not yet written */
        struct buf value; /* scratch */
};

/* ---- making ---- */

/* What making the file would meet. */
static enum err check_path(const char *path, struct err_msg *msg)
{
        char folder[PATH_MAX];
        struct stat info;

        if (lstat(path, &info) == 0)
                return err_set(msg, ERR_IO, "%s is there already; name another file for the rejects", path);
        if (errno != ENOENT)
                return err_errno(msg, ERR_IO, errno, "cannot make %s", path);
        if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
                return err_errno(msg, ERR_IO, ENAMETOOLONG, "cannot make %s", path);
        if (access(dirname(folder), W_OK | X_OK) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot make %s", path);
        return OK;
}

enum err import_rejects_create(struct import_rejects **out, const char *path, struct err_msg *msg)
{
        struct import_rejects *rejects = vc_calloc(1, sizeof(*rejects));
        enum err rc = path == NULL ? OK : check_path(path, msg);

        *out = NULL;
        if (rejects == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        rejects->path = path;
        rejects->fd = -1;
        buf_init(&rejects->lines, 0);
        buf_init(&rejects->value, 0);
        if (rc == OK)
                *out = rejects;
        else
                import_rejects_destroy(&rejects);
        return rc;
}

void import_rejects_destroy(struct import_rejects **rejects)
{
        if (*rejects == NULL)
                return;
        if ((*rejects)->fd >= 0)
                (void)close((*rejects)->fd);
        buf_deinit(&(*rejects)->lines);
        buf_deinit(&(*rejects)->value);
        vc_free(*rejects);
        *rejects = NULL;
}

/* ---- writing ---- */

static enum err write_failed(const struct import_rejects *r, struct err_msg *msg)
{
        return err_errno(msg, ERR_IO, errno, "cannot write the rejects to %s", r->path);
}

static enum err make_file(struct import_rejects *r, struct err_msg *msg)
{
        r->fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        return r->fd >= 0 ? OK : write_failed(r, msg);
}

static enum err flush_lines(struct import_rejects *r, struct err_msg *msg)
{
        while (buf_len(&r->lines) > 0) {
                struct slice left = buf_slice(&r->lines);
                ssize_t put = write(r->fd, left.data, left.len);

                if (put < 0 && errno != EINTR)
                        return write_failed(r, msg);
                buf_consume(&r->lines, put < 0 ? 0 : (size_t)put);
        }
        return OK;
}

enum err import_rejects_finish(struct import_rejects *rejects, struct err_msg *msg)
{
        enum err rc = OK;

        if (rejects->fd < 0)
                return OK;
        rc = flush_lines(rejects, msg);
        if (rc == OK && fsync(rejects->fd) != 0)
                rc = write_failed(rejects, msg);
        return rc;
}

/* ---- lines ---- */

static enum err put_path(struct buf *out, const char *path)
{
        char plain[PATH_MAX];

        print_plain(plain, sizeof(plain), path);
        return value_put_member(out, "file", slice_str(plain));
}

/* All members but the origin. */
static enum err put_members(struct buf *out, const char *input, const struct import_bad *bad)
{
        const struct reject *reject = &bad->reject;
        bool whole = reject->field[0] == '\0';
        enum err rc = value_put_map(out, whole ? 4 : 5);

        if (rc == OK)
                rc = put_path(out, input);
        if (rc == OK)
                rc = value_put_str(out, "line");
        if (rc == OK)
                rc = value_put_int(out, (int64_t)bad->line);
        if (rc == OK && !whole)
                rc = value_put_member(out, "field", slice_str(reject->field));
        if (rc == OK)
                rc = value_put_member(out, "reason", slice_str(reject_word(reject->reason)));
        return rc == OK ? value_put_member(out, "text", slice_str(reject_text(reject->reason))) : rc;
}

/* Appends the line: the members' JSON, its last brace moved behind the origin, which is JSON already. */
static enum err put_line(struct import_rejects *r, const char *input, const struct import_bad *bad)
{
        enum err rc;

        buf_truncate(&r->value, 0);
        rc = put_members(&r->value, input, bad);
        if (rc == OK)
                rc = value_to_json(buf_slice(&r->value), &r->lines);
        if (rc != OK || bad->origin.len == 0)
                return rc == OK ? buf_append_str(&r->lines, "\n") : rc;
        buf_truncate(&r->lines, buf_len(&r->lines) - 1);
        rc = buf_append_str(&r->lines, ",\"origin\":");
        if (rc == OK)
                rc = buf_append_slice(&r->lines, bad->origin);
        return rc == OK ? buf_append_str(&r->lines, "}\n") : rc;
}

bool import_rejects_wanted(const struct import_rejects *rejects)
{
        return rejects->path != NULL;
}

enum err import_rejects_add(
        struct import_rejects *rejects, const char *input, const struct import_bad *bad, struct err_msg *msg)
{
        enum err rc = OK;

        if (!import_rejects_wanted(rejects))
                return OK;
        if (rejects->fd < 0)
                rc = make_file(rejects, msg);
        if (rc != OK)
                return rc;
        rc = put_line(rejects, input, bad);
        if (rc != OK)
                return err_set(msg, rc, "cannot keep a reject: %s", err_text(rc));
        rejects->count++;
        return buf_len(&rejects->lines) < FLUSH_BYTES ? OK : flush_lines(rejects, msg);
}

uint64_t import_rejects_count(const struct import_rejects *rejects)
{
        return rejects->count;
}
