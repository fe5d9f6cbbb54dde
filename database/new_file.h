/* A file that is there when it is complete, or is as it was: written under another name, made durable, renamed. For
 * its owner alone (mode 0600), as it holds what is in the database. */
#ifndef DATABASE_NEW_FILE_H
#define DATABASE_NEW_FILE_H

#include "base/err.h"

#include <limits.h>

struct new_file {
        int fd; /* to write to; -1: none */
        const char *path;
        char part[PATH_MAX]; /* "PATH.part", until it is complete */
};

/* Begins the file `path` (borrowed), empty. What a killed process left under the other name is used again. ERR_LOCKED:
 * another process writes it; ERR_PERMISSION, ERR_DISK_FULL, ERR_IO. Call new_file_end() in any case. */
enum err new_file_begin(struct new_file *file, const char *path, struct err_msg *msg) MUST_CHECK;

/* All is written: makes it durable and gives it its name. ERR_DISK_FULL, ERR_IO. */
enum err new_file_finish(struct new_file *file, struct err_msg *msg) MUST_CHECK;

/* Closes it; one that was not finished is removed. */
void new_file_end(struct new_file *file);

#endif
