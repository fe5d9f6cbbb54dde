/* Putting another database in the place of a folder's own, all at once: a new data file is made in a folder within the
 * folder, made durable, and renamed. However that ends, the folder has the old one or the new one, whole.
 *
 * The server's lock is held meanwhile, so nobody writes. LMDB's lock file goes with the old data file: it knows that
 * one's transactions, and whoever still reads the old file keeps both. */
#ifndef DATABASE_LMDB_SWAP_H
#define DATABASE_LMDB_SWAP_H

#include "base/clock.h"
#include "database/source.h"
#include "database/lmdb_source.h"

struct lmdb_swap;

struct lmdb_swap_config {
        const char *folder;
        const char *work; /* name of the folder within it that the new file is made in */
        bool resume;      /* what a run that was killed has made there is kept; else it is removed */
        bool make;        /* the folder may be absent: it is made, and removed again when nothing comes of it */
};

/* Takes the folder's lock and makes the work folder. ERR_LOCKED: a server uses it, or a backup of it is being taken;
 * ERR_NOTFOUND, ERR_PERMISSION, ERR_DISK_FULL, ERR_IO, ERR_NOMEM; *out is NULL then. */
enum err lmdb_swap_open(struct lmdb_swap **out, const struct lmdb_swap_config *config, struct err_msg *msg) MUST_CHECK;

/* The path of the work folder, where the caller makes the new database. */
const char *lmdb_swap_work(const struct lmdb_swap *swap);

/* Makes the new data file, empty, for writing; the caller closes *fd. ERR_PERMISSION, ERR_DISK_FULL, ERR_IO; *fd is -1
 * then. */
enum err lmdb_swap_make_file(const struct lmdb_swap *swap, int *fd, struct err_msg *msg) MUST_CHECK;

/* Whether the folder has a database now. */
bool lmdb_swap_occupied(const struct lmdb_swap *swap);

/* Opens the new database as a server of this configuration would (all but its path) and checks every record and index
 * row. ERR_CORRUPT when they do not fit together; errors as lmdb_source_open. */
enum err lmdb_swap_check(const struct lmdb_swap *swap, const struct lmdb_config *config, struct source_health *health,
        struct err_msg *msg) MUST_CHECK;

/* Puts the new data file in place. The old one is gone then or, when `aside` is not NULL, in the new folder of that
 * name within the folder. On failure the old one is still in place. ERR_LOCKED: a backup is being taken. */
enum err lmdb_swap_finish(struct lmdb_swap *swap, const char *aside, struct err_msg *msg) MUST_CHECK;

/* What is in the work folder is not removed at the end: another run can go on with it. */
void lmdb_swap_leave(struct lmdb_swap *swap);

/* Removes the work folder, gives the lock back, frees, nulls. NULL-safe. */
void lmdb_swap_close(struct lmdb_swap **swap);

#endif
