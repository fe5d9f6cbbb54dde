#include "cli/temp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *folder(void)
{
        const char *given = getenv("TMPDIR");

        return given == NULL || given[0] == '\0' ? "/tmp" : given;
}

enum err temp_file_open(int *fd, struct err_msg *msg)
{
        char path[4096];

        *fd = -1;
        if ((size_t)snprintf(path, sizeof(path), "%s/vitalcache-XXXXXX", folder()) >= sizeof(path))
                return err_set(msg, ERR_IO, "the path in TMPDIR is too long");
        *fd = mkostemp(path, O_CLOEXEC); /* only the owner may read it */
        if (*fd < 0)
                return err_errno(msg, ERR_IO, errno, "cannot make a temporary file in %s (TMPDIR)", folder());
        (void)unlink(path);
        return OK;
}

enum err temp_file_write(int fd, uint64_t offset, struct slice bytes, struct err_msg *msg)
{
        while (bytes.len > 0) {
                ssize_t wrote = pwrite(fd, bytes.data, bytes.len, (off_t)offset);

                if (wrote < 0 && errno == EINTR)
                        continue;
                if (wrote < 0)
                        return err_errno(msg, ERR_IO, errno, "cannot write a temporary file in %s (TMPDIR)", folder());
                bytes = slice_of(bytes.data + wrote, bytes.len - (size_t)wrote);
                offset += (uint64_t)wrote;
        }
        return OK;
}

enum err temp_file_read(int fd, uint64_t offset, struct temp_file_room *room, struct err_msg *msg)
{
        room->got = 0;
        while (room->got < room->len) {
                ssize_t got =
                        pread(fd, (char *)room->data + room->got, room->len - room->got, (off_t)(offset + room->got));

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return err_errno(msg, ERR_IO, errno, "cannot read a temporary file in %s (TMPDIR)", folder());
                if (got == 0)
                        break;
                room->got += (size_t)got;
        }
        return OK;
}
