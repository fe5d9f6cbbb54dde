#include "database/new_file.h"

#include "database/lmdb_err.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err refuse(const struct new_file *file, struct err_msg *msg)
{
        return err_errno(msg, lmdb_err(errno), errno, "cannot write %s", file->part);
}

/* What takes the name of a device or a pipe would take it from everybody: `backup /dev/stdout` by root. */
static enum err check_name(const char *path, struct err_msg *msg)
{
        struct stat info;

        if (stat(path, &info) != 0 || S_ISREG(info.st_mode))
                return OK;
        return err_set(msg, ERR_IO, "%s is there, and is no file that could be replaced (- is standard output)", path);
}

/* Whether the file is still the one of that name: whoever wrote it may have completed it before we had the lock. */
static bool is_named(int fd, const char *name)
{
        struct stat opened;
        struct stat named;

        return fstat(fd, &opened) == 0 && stat(name, &named) == 0 && opened.st_ino == named.st_ino &&
               opened.st_dev == named.st_dev;
}

/* The file is this process's as long as it holds the lock on it. */
enum err new_file_begin(struct new_file *file, const char *path, struct err_msg *msg)
{
        int fd;
        enum err rc = OK;

        file->fd = -1;
        file->path = path;
        if ((size_t)snprintf(file->part, sizeof(file->part), "%s.part", path) >= sizeof(file->part))
                return err_set(msg, ERR_IO, "the path %.64s… is too long", path);
        rc = check_name(path, msg);
        if (rc != OK)
                return rc;
        fd = open(file->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return refuse(file, msg);
        if (flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_named(fd, file->part))
                rc = err_set(msg, ERR_LOCKED, "another process writes %s", file->part);
        else if (ftruncate(fd, 0) != 0 || fchmod(fd, 0600) != 0)
                rc = refuse(file, msg);
        if (rc == OK)
                file->fd = fd;
        else
                (void)close(fd);
        return rc;
}

/* The name of a file is durable when its folder is. */
static enum err sync_folder(const char *path, struct err_msg *msg)
{
        char name[PATH_MAX];
        int fd;
        enum err rc = OK;

        (void)snprintf(name, sizeof(name), "%s", path);
        fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) != 0)
                rc = err_errno(msg, lmdb_err(errno), errno, "cannot make the folder of %s durable", path);
        if (fd >= 0)
                (void)close(fd);
        return rc;
}

enum err new_file_finish(struct new_file *file, struct err_msg *msg)
{
        if (fsync(file->fd) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot make %s durable", file->part);
        if (rename(file->part, file->path) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot rename %s to %s", file->part, file->path);
        (void)close(file->fd);
        file->fd = -1;
        return sync_folder(file->path, msg);
}

void new_file_end(struct new_file *file)
{
        if (file->fd < 0)
                return;
        (void)unlink(file->part);
        (void)close(file->fd);
        file->fd = -1;
}
