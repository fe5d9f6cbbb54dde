#include "database/lmdb_lock.h"

#include "database/lmdb_err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* The process id in the file; 0 when the holder has not written it yet. */
static long holder_of(int fd)
{
        char text[24] = "";
        ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

        return len > 0 ? strtol(text, NULL, 10) : 0;
}

static enum err refuse(const char *folder, int fd, struct err_msg *msg)
{
        long pid = holder_of(fd);

        if (pid <= 0)
                return err_set(msg, ERR_LOCKED, "another process uses the database in %s", folder);
        return err_set(msg, ERR_LOCKED,
                "process %ld uses the database in %s (it holds " LMDB_LOCK_NAME
                "); stop it first, or choose another folder",
                pid, folder);
}

static enum err write_pid(int fd, const char *path, struct err_msg *msg)
{
        char text[24];
        int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

        if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
                return err_errno(msg, lmdb_err(errno), errno, "cannot write %s", path);
        return OK;
}

enum err lmdb_lock_take(const char *folder, int *fd, struct err_msg *msg)
{
        char path[PATH_MAX];
        enum err rc;

        *fd = -1;
        if ((size_t)snprintf(path, sizeof(path), "%s/" LMDB_LOCK_NAME, folder) >= sizeof(path))
                return err_set(msg, ERR_IO, "the name of the folder %.64s… is too long", folder);
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (*fd < 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot open %s", path);
        if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
                rc = write_pid(*fd, path, msg);
        else if (errno == EWOULDBLOCK)
                rc = refuse(folder, *fd, msg);
        else
                rc = err_errno(msg, ERR_IO, errno, "cannot lock %s", path);
        if (rc != OK)
                lmdb_lock_release(fd);
        return rc;
}

void lmdb_lock_release(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
        *fd = -1;
}
