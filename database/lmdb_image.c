#include "database/lmdb_image.h"

#include "base/mem.h"
#include "database/lmdb_image_facts.h"
#include "database/lmdb_meta.h"
#include "database/lmdb_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        PIECE = 1 << 20,
        TRIES_MAX = 1000,
};

/* ---- the environment, beside whoever uses it ---- */

/* An environment opened for reading; its file is kept from being replaced meanwhile (database/lmdb_swap.h). */
struct beside {
        const char *folder;
        MDB_env *mdb;
        struct err_msg *msg;
};

static enum err refuse(const struct beside *b, enum err rc)
{
        switch (rc) {
        case ERR_NOTFOUND: return err_set(b->msg, rc, "there is no database in %s", b->folder);
        case ERR_VERSION: return err_set(b->msg, rc, "the database in %s is not one that vitalcache made", b->folder);
        case ERR_CORRUPT:
                return err_set(
                        b->msg, rc, "%s/" LMDB_DATA_NAME " is damaged; restore it from an older backup", b->folder);
        case ERR_BUSY:
                return err_set(b->msg, rc,
                        "the database in %s has too many readers, or its commits follow one another too fast; try "
                        "again",
                        b->folder);
        default: return err_set(b->msg, rc, "the database in %s cannot be read: %s", b->folder, err_text(rc));
        }
}

/* Holds the file against replacement; *is_it is false when the folder has another one by now. */
static enum err hold(const struct beside *b, const char *path, bool *is_it)
{
        struct stat opened;
        struct stat named;
        int fd;

        *is_it = false;
        if (mdb_env_get_fd(b->mdb, &fd) != MDB_SUCCESS)
                return refuse(b, ERR_IO);
        if (flock(fd, LOCK_SH | LOCK_NB) != 0)
                return err_set(b->msg, ERR_LOCKED, "%s is being replaced by a compaction, restore or upgrade", path);
        *is_it = fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
                 opened.st_dev == named.st_dev;
        return OK;
}

/* LMDB does not write pages that were allocated and freed in one transaction, so the file may end before the last page
 * that it counts (lmdb_env.c). It is lengthened, never shortened, as a server may be writing to it. *was_short: then
 * it may also have been cut off. */
static enum err mend_length(const struct beside *b, const char *path, bool *was_short)
{
        MDB_envinfo info;
        MDB_stat stat_;
        struct stat file;
        uint64_t needed;
        int fd;
        int rc;

        (void)mdb_env_info(b->mdb, &info);
        (void)mdb_env_stat(b->mdb, &stat_);
        needed = ((uint64_t)info.me_last_pgno + 1) * stat_.ms_psize;
        *was_short = stat(path, &file) != 0 || (uint64_t)file.st_size < needed;
        if (!*was_short)
                return OK;
        fd = open(path, O_RDWR | O_CLOEXEC);
        rc = fd < 0 ? errno : posix_fallocate(fd, (off_t)(needed - 1), 1);
        if (fd >= 0)
                (void)close(fd);
        return rc == 0 ? OK : err_errno(b->msg, lmdb_err(rc), rc, "%s is too short, and cannot be lengthened", path);
}

/* Reads every entry: what was cut off reads as pages of zeros, which cursors take for damage. */
static enum err read_through(void *context, MDB_txn *txn, MDB_dbi part, const char *name)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        int rc = mdb_cursor_open(txn, part, &cursor);

        (void)context;
        (void)name;
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                continue;
        mdb_cursor_close(cursor);
        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

static enum err read_all(const struct beside *b)
{
        MDB_txn *txn;
        enum err rc = lmdb_err(mdb_txn_begin(b->mdb, NULL, MDB_RDONLY, &txn));

        if (rc == OK) {
                rc = lmdb_parts_visit(txn, read_through, NULL);
                mdb_txn_abort(txn);
        }
        return rc == OK ? OK : refuse(b, rc == ERR_NOTFOUND ? ERR_CORRUPT : rc);
}

static enum err open_once(struct beside *b, const char *path, bool *is_it)
{
        bool was_short = false;
        enum err rc = lmdb_parts_open(&b->mdb, b->folder, MDB_RDONLY, 0);

        if (rc != OK)
                return refuse(b, rc);
        (void)mdb_reader_check(b->mdb, NULL); /* what a killed reader held is free to be used again */
        rc = hold(b, path, is_it);
        if (rc == OK)
                rc = mend_length(b, path, &was_short);
        return rc == OK && was_short ? read_all(b) : rc;
}

/* Close it with lmdb_parts_close() in any case. */
static enum err open_beside(struct beside *b)
{
        char path[PATH_MAX];
        bool is_it = false;
        enum err rc = OK;

        if ((size_t)snprintf(path, sizeof(path), "%s/" LMDB_DATA_NAME, b->folder) >= sizeof(path))
                return err_set(b->msg, ERR_IO, "the name of the folder %.64s… is too long", b->folder);
        while (rc == OK && !is_it) {
                lmdb_parts_close(&b->mdb);
                rc = open_once(b, path, &is_it);
        }
        return rc;
}

static enum err facts_of(const struct beside *b, struct lmdb_image_facts *facts)
{
        MDB_txn *txn;
        enum err rc = lmdb_err(mdb_txn_begin(b->mdb, NULL, MDB_RDONLY, &txn));

        if (rc == OK) {
                rc = lmdb_image_facts_read(txn, facts);
                mdb_txn_abort(txn);
        }
        return rc;
}

enum err lmdb_image_look(const char *folder, struct lmdb_image_facts *facts, struct err_msg *msg)
{
        struct beside b = {.folder = folder, .msg = msg};
        enum err rc = open_beside(&b);

        if (rc == OK) {
                rc = facts_of(&b, facts);
                if (rc != OK)
                        (void)refuse(&b, rc);
        }
        lmdb_parts_close(&b.mdb);
        return rc;
}

/* ---- the copy ---- */

/* LMDB writes the copy to a pipe on a thread; ours reads it. */
struct copy {
        struct beside beside;
        const struct lmdb_image_sink *sink;
        pthread_t thread;
        int in;
        int out;
        enum err result; /* the thread's; after it was joined */
        uint8_t *piece;
        size_t len;
};

static void *run_copy(void *context)
{
        struct copy *c = context;

        c->result = lmdb_err(mdb_env_copyfd2(c->beside.mdb, c->out, MDB_CP_COMPACT));
        (void)close(c->out);
        return NULL;
}

static enum err begin_copy(struct copy *c)
{
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) != 0)
                return errno == EMFILE || errno == ENFILE ? ERR_LIMIT : ERR_IO;
        (void)fcntl(ends[1], F_SETPIPE_SZ, PIECE); /* fewer turns; it works with any size */
        c->in = ends[0];
        c->out = ends[1];
        if (pthread_create(&c->thread, NULL, run_copy, c) == 0)
                return OK;
        (void)close(c->in);
        (void)close(c->out);
        return ERR_NOMEM;
}

/* When the thread is still writing, its end of the pipe breaks and it gives up. */
static enum err end_copy(struct copy *c)
{
        (void)close(c->in);
        (void)pthread_join(c->thread, NULL);
        return c->result;
}

/* The next piece of the image; of no length at its end. */
static enum err take_piece(struct copy *c)
{
        ssize_t got;

        do
                got = read(c->in, c->piece, PIECE);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return ERR_IO;
        c->len = (size_t)got;
        return OK;
}

/* The copy under way is given up; its failure is told, but for that of the pipe, which is ours. */
static enum err give_up(struct copy *c, enum err rc)
{
        bool complete = c->len == 0;
        enum err copied = end_copy(c);

        return rc == OK && complete ? copied : rc;
}

/* LMDB does not say which snapshot its copy is of. When the newest commit is the same before the copy begins and after
 * its first bytes are here, the copy is of that one. *same says so. */
static enum err try_copy(struct copy *c, struct lmdb_image_facts *facts, bool *same)
{
        struct lmdb_image_facts after;
        enum err rc = facts_of(&c->beside, facts);

        if (rc == OK)
                rc = begin_copy(c);
        if (rc != OK)
                return rc;
        lmdb_image_facts_init(&after);
        rc = take_piece(c);
        if (rc == OK && c->len > 0)
                rc = facts_of(&c->beside, &after);
        *same = rc == OK && after.position == facts->position;
        if (!*same)
                rc = give_up(c, rc);
        lmdb_image_facts_deinit(&after);
        return rc;
}

static enum err begin_same(struct copy *c, struct lmdb_image_facts *facts)
{
        bool same = false;
        enum err rc = OK;

        for (int i = 0; rc == OK && !same && i < TRIES_MAX; i++) {
                rc = try_copy(c, facts, &same);
                if (rc == ERR_MAP_FULL) /* a server has let the file grow past our map of it */
                        rc = lmdb_err(mdb_env_set_mapsize(c->beside.mdb, 0));
        }
        if (rc == OK && !same)
                rc = ERR_BUSY;
        return rc == OK ? OK : refuse(&c->beside, rc);
}

/* The first piece is there already. */
static enum err pass_on(struct copy *c, const struct lmdb_image_facts *facts)
{
        const struct lmdb_image_sink *sink = c->sink;
        enum err rc = sink->begin(sink->context, facts, c->beside.msg);
        enum err copied;

        while (rc == OK && c->len > 0) {
                rc = sink->bytes(sink->context, slice_of(c->piece, c->len), c->beside.msg);
                if (rc == OK && take_piece(c) != OK)
                        rc = refuse(&c->beside, ERR_IO);
        }
        copied = end_copy(c);
        return rc == OK && copied != OK ? refuse(&c->beside, copied) : rc;
}

enum err lmdb_image_copy(const char *folder, const struct lmdb_image_sink *sink, struct err_msg *msg)
{
        struct copy c = {.beside = {.folder = folder, .msg = msg}, .sink = sink, .piece = vc_malloc(PIECE)};
        struct lmdb_image_facts facts;
        enum err rc = c.piece == NULL ? err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : open_beside(&c.beside);

        lmdb_image_facts_init(&facts);
        if (rc == OK)
                rc = begin_same(&c, &facts);
        if (rc == OK)
                rc = pass_on(&c, &facts);
        lmdb_parts_close(&c.beside.mdb);
        lmdb_image_facts_deinit(&facts);
        vc_free(c.piece);
        return rc;
}

/* ---- from image to database ---- */

static enum err note_past(MDB_env *mdb, uint64_t position)
{
        struct lmdb_dbs dbs;
        MDB_txn *txn;
        enum err rc = lmdb_err(mdb_txn_begin(mdb, NULL, 0, &txn));

        if (rc != OK)
                return rc;
        rc = lmdb_err(mdb_dbi_open(txn, "meta", 0, &dbs.meta));
        if (rc == OK)
                rc = lmdb_meta_put(txn, &dbs, LMDB_META_PAST, position);
        if (rc == OK)
                return lmdb_err(mdb_txn_commit(txn));
        mdb_txn_abort(txn);
        return rc;
}

enum err lmdb_image_settle(const char *folder, uint64_t position, struct err_msg *msg)
{
        MDB_env *mdb;
        enum err rc = lmdb_parts_open(&mdb, folder, MDB_NOLOCK, 0);

        if (rc == OK)
                rc = note_past(mdb, position);
        lmdb_parts_close(&mdb);
        return rc == OK ? OK : err_set(msg, rc, "the copied database cannot be opened: %s", err_text(rc));
}
