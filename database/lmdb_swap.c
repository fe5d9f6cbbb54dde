#include "database/lmdb_swap.h"

#include "base/mem.h"
#include "database/lmdb_err.h"
#include "database/lmdb_image.h"
#include "database/lmdb_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock.mdb" /* LMDB's own */

enum { NAME_ROOM = 64 }; /* for the names below a folder */

struct lmdb_swap {
        char folder[PATH_MAX];
        char work[PATH_MAX + NAME_ROOM];
        char file[PATH_MAX + 2 * NAME_ROOM];
        char present[PATH_MAX + NAME_ROOM]; /* the data file in use */
        int lock_fd;
        bool made_folder;
        bool made_work;
        bool leave_work;
};

const char *lmdb_swap_work(const struct lmdb_swap *swap)
{
        return swap->work;
}

bool lmdb_swap_occupied(const struct lmdb_swap *swap)
{
        struct stat info;

        return stat(swap->present, &info) == 0;
}

static enum err sync_path(const char *path, struct err_msg *msg)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        enum err rc = OK;

        if (fd < 0 || fsync(fd) != 0)
                rc = err_errno(msg, lmdb_err(errno), errno, "cannot make %s durable", path);
        if (fd >= 0)
                (void)close(fd);
        return rc;
}

enum err lmdb_swap_make_file(const struct lmdb_swap *swap, int *fd, struct err_msg *msg)
{
        *fd = open(swap->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return *fd >= 0 ? OK : err_errno(msg, lmdb_err(errno), errno, "cannot write %s", swap->file);
}

/* ---- opening ---- */

static enum err name_all(struct lmdb_swap *s, const struct lmdb_swap_config *config, struct err_msg *msg)
{
        if (strlen(config->folder) + 2 * NAME_ROOM >= PATH_MAX)
                return err_set(msg, ERR_IO, "the name of the folder %.64s… is too long", config->folder);
        (void)snprintf(s->folder, sizeof(s->folder), "%s", config->folder);
        (void)snprintf(s->work, sizeof(s->work), "%s/%s", s->folder, config->work);
        (void)snprintf(s->file, sizeof(s->file), "%s/" LMDB_DATA_NAME, s->work);
        (void)snprintf(s->present, sizeof(s->present), "%s/" LMDB_DATA_NAME, s->folder);
        return OK;
}

static enum err make_folder(struct lmdb_swap *s, bool may, struct err_msg *msg)
{
        struct stat info;

        if (stat(s->folder, &info) == 0)
                return S_ISDIR(info.st_mode) ? OK : err_set(msg, ERR_IO, "%s is not a folder", s->folder);
        if (errno != ENOENT || !may)
                return err_errno(
                        msg, errno == ENOENT ? ERR_NOTFOUND : lmdb_err(errno), errno, "cannot open %s", s->folder);
        if (mkdir(s->folder, 0700) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot make the folder %s", s->folder);
        s->made_folder = true;
        return OK;
}

/* While a backup reads the data file it holds a shared lock on it. `fd` -1: there is no such file. */
static enum err hold_readers_off(const struct lmdb_swap *s, int *fd, struct err_msg *msg)
{
        *fd = open(s->present, O_RDONLY | O_CLOEXEC);
        if (*fd < 0)
                return errno == ENOENT ? OK : err_errno(msg, lmdb_err(errno), errno, "cannot open %s", s->present);
        if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
                return OK;
        (void)close(*fd);
        *fd = -1;
        return err_set(msg, ERR_LOCKED, "a backup of %s is being taken; wait until it is complete", s->folder);
}

static void let_readers_in(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd);
        *fd = -1;
}

/* A work folder has the files of a database, no others. */
static void clear_work(const struct lmdb_swap *s, bool but_data)
{
        /* the data first */
        static const char *const names[] = {LMDB_DATA_NAME, LOCK_NAME, LMDB_LOCK_NAME};
        char path[sizeof(s->work) + NAME_ROOM];

        for (size_t i = but_data ? 1 : 0; i < sizeof(names) / sizeof(names[0]); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", s->work, names[i]);
                (void)unlink(path);
        }
}

static enum err make_work(struct lmdb_swap *s, bool resume, struct err_msg *msg)
{
        clear_work(s, resume); /* of a run that was killed */
        if (mkdir(s->work, 0700) != 0 && errno != EEXIST)
                return err_errno(msg, lmdb_err(errno), errno, "cannot make the folder %s", s->work);
        s->made_work = true;
        return OK;
}

enum err lmdb_swap_open(struct lmdb_swap **out, const struct lmdb_swap_config *config, struct err_msg *msg)
{
        struct lmdb_swap *s = vc_calloc(1, sizeof(*s));
        int readers = -1;
        enum err rc;

        *out = NULL;
        if (s == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        s->lock_fd = -1;
        rc = name_all(s, config, msg);
        if (rc == OK)
                rc = make_folder(s, config->make, msg);
        if (rc == OK)
                rc = lmdb_lock_take(s->folder, &s->lock_fd, msg);
        if (rc == OK)
                rc = hold_readers_off(s, &readers, msg); /* now for an early refusal; in earnest at the end */
        let_readers_in(&readers);
        if (rc == OK)
                rc = make_work(s, config->resume, msg);
        if (rc != OK)
                lmdb_swap_close(&s);
        *out = s;
        return rc;
}

void lmdb_swap_leave(struct lmdb_swap *swap)
{
        swap->leave_work = true;
}

void lmdb_swap_close(struct lmdb_swap **swap)
{
        struct lmdb_swap *s = *swap;
        char lock[PATH_MAX + NAME_ROOM];

        if (s == NULL)
                return;
        if (s->made_work) {
                clear_work(s, s->leave_work);
                (void)rmdir(s->work);
        }
        if (s->made_folder && !lmdb_swap_occupied(s)) {
                (void)snprintf(lock, sizeof(lock), "%s/" LMDB_LOCK_NAME, s->folder);
                (void)unlink(lock);
                (void)rmdir(s->folder);
        }
        lmdb_lock_release(&s->lock_fd);
        vc_free(s);
        *swap = NULL;
}

/* ---- checking ---- */

enum err lmdb_swap_check(const struct lmdb_swap *swap, const struct lmdb_config *config, struct source_health *health,
        struct err_msg *msg)
{
        struct lmdb_config own = *config;
        struct source *source = NULL;
        enum err rc;

        own.path = swap->work;
        rc = lmdb_source_open(&source, &own, msg);
        if (rc != OK)
                return rc;
        rc = source->ops->health(source, true, health, msg);
        if (rc == OK && health->damaged > 0)
                rc = err_set(msg, ERR_CORRUPT, "%llu records or index rows do not fit together",
                        (unsigned long long)health->damaged);
        source->ops->close(&source);
        return rc;
}

/* ---- putting it in place ---- */

/* A second name for the present file, so that there is no moment without one in place. */
static enum err put_aside(const struct lmdb_swap *s, const char *aside, struct err_msg *msg)
{
        char folder[PATH_MAX + NAME_ROOM];
        char path[PATH_MAX + 2 * NAME_ROOM];

        (void)snprintf(folder, sizeof(folder), "%s/%s", s->folder, aside);
        (void)snprintf(path, sizeof(path), "%s/" LMDB_DATA_NAME, folder);
        if (mkdir(folder, 0700) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot make the folder %s", folder);
        if (link(s->present, path) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot put %s aside as %s", s->present, path);
        return sync_path(folder, msg);
}

static enum err put_in_place(const struct lmdb_swap *s, const char *aside, struct err_msg *msg)
{
        char lock[PATH_MAX + NAME_ROOM];
        enum err rc = sync_path(s->file, msg);

        if (rc == OK && aside != NULL && lmdb_swap_occupied(s))
                rc = put_aside(s, aside, msg);
        if (rc != OK)
                return rc;
        if (rename(s->file, s->present) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot rename %s to %s", s->file, s->present);
        (void)snprintf(lock, sizeof(lock), "%s/" LOCK_NAME, s->folder);
        if (unlink(lock) != 0 && errno != ENOENT)
                return err_errno(msg, lmdb_err(errno), errno, "cannot remove %s", lock);
        return sync_path(s->folder, msg);
}

enum err lmdb_swap_finish(struct lmdb_swap *swap, const char *aside, struct err_msg *msg)
{
        char parent[PATH_MAX + NAME_ROOM];
        int readers = -1;
        enum err rc = hold_readers_off(swap, &readers, msg);

        if (rc == OK)
                rc = put_in_place(swap, aside, msg);
        let_readers_in(&readers);
        (void)snprintf(parent, sizeof(parent), "%s/..", swap->folder);
        return rc == OK && swap->made_folder ? sync_path(parent, msg) : rc;
}
