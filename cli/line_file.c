#include "cli/line_file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 16 };

struct line_file {
        const char *path; /* NULL: nothing is kept */
        const char *what;
        int fd; /* -1: not made yet */
        uint64_t count;
        struct buf lines; /* not yet written */
};

/* ---- making ---- */

/* What making the file would meet. */
static enum err check_path(const char *path, const char *what, struct err_msg *msg)
{
        char folder[PATH_MAX];
        struct stat info;

        if (lstat(path, &info) == 0)
                return err_set(msg, ERR_IO, "%s is there already; name another file for the %s", path, what);
        if (errno != ENOENT)
                return err_errno(msg, ERR_IO, errno, "cannot make %s", path);
        if ((size_t)snprintf(folder, sizeof(folder), "%s", path) >= sizeof(folder))
                return err_errno(msg, ERR_IO, ENAMETOOLONG, "cannot make %s", path);
        if (access(dirname(folder), W_OK | X_OK) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot make %s", path);
        return OK;
}

enum err line_file_create(struct line_file **out, const char *path, const char *what, struct err_msg *msg)
{
        struct line_file *file;
        enum err rc = path == NULL ? OK : check_path(path, what, msg);

        *out = NULL;
        if (rc != OK)
                return rc;
        file = vc_calloc(1, sizeof(*file));
        if (file == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        file->path = path;
        file->what = what;
        file->fd = -1;
        buf_init(&file->lines, 0);
        *out = file;
        return OK;
}

void line_file_destroy(struct line_file **file)
{
        if (*file == NULL)
                return;
        if ((*file)->fd >= 0)
                (void)close((*file)->fd);
        buf_deinit(&(*file)->lines);
        vc_free(*file);
        *file = NULL;
}

bool line_file_wanted(const struct line_file *file)
{
        return file->path != NULL;
}

uint64_t line_file_count(const struct line_file *file)
{
        return file->count;
}

/* ---- writing ---- */

static enum err write_failed(const struct line_file *file, struct err_msg *msg)
{
        return err_errno(msg, ERR_IO, errno, "cannot write the %s to %s", file->what, file->path);
}

static enum err flush_lines(struct line_file *file, struct err_msg *msg)
{
        while (buf_len(&file->lines) > 0) {
                struct slice left = buf_slice(&file->lines);
                ssize_t put = write(file->fd, left.data, left.len);

                if (put < 0 && errno != EINTR)
                        return write_failed(file, msg);
                buf_consume(&file->lines, put < 0 ? 0 : (size_t)put);
        }
        return OK;
}

struct buf *line_file_begin(struct line_file *file)
{
        return &file->lines;
}

enum err line_file_add(struct line_file *file, struct err_msg *msg)
{
        VC_ASSERT(line_file_wanted(file));
        if (file->fd < 0)
                file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file->fd < 0)
                return write_failed(file, msg);
        if (buf_append_str(&file->lines, "\n") != OK)
                return err_set(msg, ERR_NOMEM, "out of memory");
        file->count++;
        return buf_len(&file->lines) < FLUSH_BYTES ? OK : flush_lines(file, msg);
}

enum err line_file_finish(struct line_file *file, struct err_msg *msg)
{
        enum err rc = OK;

        if (file->fd < 0)
                return OK;
        rc = flush_lines(file, msg);
        if (rc == OK && fsync(file->fd) != 0)
                rc = write_failed(file, msg);
        return rc;
}
