/* The folder's exclusive lock: one process at a time writes an environment. An flock() on a file of the folder, so it
 * goes with the process however that ends, and no stale lock is ever left; the holder's process id stands in the file
 * for people. Other processes may still read the environment with LMDB's own tools. */
#ifndef DATABASE_LMDB_LOCK_H
#define DATABASE_LMDB_LOCK_H

#include "base/err.h"

#define LMDB_LOCK_NAME "vitalcached.lock"

/* Takes the lock of `folder`; *fd is to be given to lmdb_lock_release. ERR_LOCKED names the process that holds it,
 * ERR_PERMISSION, ERR_DISK_FULL, ERR_IO; *fd is -1 then. Any thread. */
enum err lmdb_lock_take(const char *folder, int *fd, struct err_msg *msg) MUST_CHECK;

/* Gives the lock back and sets *fd to -1; a no-op when it is -1. */
void lmdb_lock_release(int *fd);

#endif
