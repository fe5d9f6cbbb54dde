#include "database/lmdb_env.h"

#include "base/mem.h"
#include "database/lmdb_lock.h"
#include "database/lmdb_parts.h"
#include "database/lmdb_readers.h"
#include "database/lmdb_room.h"
#include "monitoring/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct lmdb_env {
        MDB_env *mdb;
        int lock_fd;
        struct lmdb_dbs dbs;
        struct lmdb_readers *readers;
        struct lmdb_room room;    /* the writer's */
        bool has_room;            /* the one above is in use */
        pthread_rwlock_t barrier; /* held for reading by each read transaction, for writing while the map moves */
        _Atomic uint64_t map_size;
        uint64_t map_size_max;
        _Atomic bool dead;
        _Atomic bool has_merges;
};

static uint64_t whole_pages(uint64_t bytes)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        return (bytes + page - 1) / page * page;
}

/* Writers first, or a stream of reads would keep the barrier from ever closing. */
static void barrier_init(pthread_rwlock_t *barrier)
{
        pthread_rwlockattr_t attr;

        VC_ASSERT(pthread_rwlockattr_init(&attr) == 0);
        VC_ASSERT(pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
        VC_ASSERT(pthread_rwlock_init(barrier, &attr) == 0);
        (void)pthread_rwlockattr_destroy(&attr);
}

/* Makes the folder if it is not there, durably: its name is on the disk before anything in it is acknowledged. */
static enum err make_folder(const char *path, struct err_msg *msg)
{
        struct stat info;

        if (mkdir(path, 0700) != 0 && errno != EEXIST)
                return err_errno(msg, lmdb_err(errno), errno, "cannot make the folder %s", path);
        if (stat(path, &info) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot look at %s", path);
        if (!S_ISDIR(info.st_mode))
                return err_set(msg, ERR_IO, "%s is not a folder", path);
        return OK;
}

/* fsync of a folder: a new file's name is durable only after it. `name` is relative to `path`. */
static enum err sync_folder(const char *path, const char *name, struct err_msg *msg)
{
        int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int fd = at < 0 ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        enum err rc = OK;

        if (fd < 0 || fsync(fd) != 0)
                rc = err_errno(msg, lmdb_err(errno), errno, "cannot make the folder %s durable", path);
        if (fd >= 0)
                (void)close(fd);
        if (at >= 0)
                (void)close(at);
        return rc;
}

static enum err open_message(int rc, const struct lmdb_env_config *config, struct err_msg *msg)
{
        enum err err = lmdb_err(rc);

        if (err == ERR_VERSION)
                return err_set(msg, err, "%s/data.mdb was written by another version of LMDB than this one, %s",
                        config->path, mdb_version(NULL, NULL, NULL));
        if (err == ERR_CORRUPT)
                return err_set(msg, err,
                        "%s/data.mdb is not an LMDB database, or it is damaged; restore it from a backup",
                        config->path);
        if (err == ERR_NOMEM)
                return err_set(msg, err, "cannot map %llu bytes of %s/data.mdb; is the address space limited?",
                        (unsigned long long)config->map_size, config->path);
        return err_set(msg, err, "cannot open %s/data.mdb: %s", config->path, mdb_strerror(rc));
}

static enum err open_mdb(struct lmdb_env *env, const struct lmdb_env_config *config, struct err_msg *msg)
{
        int rc = mdb_env_create(&env->mdb);

        if (rc == MDB_SUCCESS)
                rc = mdb_env_set_maxdbs(env->mdb, LMDB_DB_COUNT);
        if (rc == MDB_SUCCESS)
                rc = mdb_env_set_maxreaders(env->mdb, config->max_readers);
        if (rc == MDB_SUCCESS)
                rc = mdb_env_set_mapsize(env->mdb, whole_pages(config->map_size));
        if (rc == MDB_SUCCESS)
                rc = mdb_env_open(env->mdb, config->path, MDB_NOTLS, 0600);
        return rc == MDB_SUCCESS ? OK : open_message(rc, config, msg);
}

struct meta_work {
        struct lmdb_env *env;
        const struct lmdb_schema *schema;
};

static enum err meta_work(MDB_txn *txn, void *context, struct err_msg *msg)
{
        struct meta_work *work = context;

        MDB_stat merged;
        enum err rc = lmdb_meta_open(txn, work->schema, &work->env->dbs, msg);

        if (rc == OK)
                rc = lmdb_err(mdb_stat(txn, work->env->dbs.merged, &merged));
        work->env->has_merges = rc == OK && merged.ms_entries > 0;
        return rc;
}

/* Bytes of the file, up to the last page that the database counts as its own. */
static uint64_t bytes_used(const struct lmdb_env *env)
{
        MDB_envinfo info;
        MDB_stat stat;

        (void)mdb_env_info(env->mdb, &info);
        (void)mdb_env_stat(env->mdb, &stat);
        return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

static enum err begin_room(struct lmdb_env *env)
{
        int fd;
        int rc = mdb_env_get_fd(env->mdb, &fd);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_room_init(&env->room, fd, bytes_used(env));
        env->has_room = true;
        return OK;
}

static enum err open_contents(
        struct lmdb_env *env, const struct lmdb_env_config *config, bool *damage_suspected, struct err_msg *msg)
{
        struct meta_work work = {env, config->schema};
        MDB_envinfo info;
        enum err rc = lmdb_readers_create(&env->readers, env->mdb, config->max_readers);

        (void)mdb_env_info(env->mdb, &info);
        env->map_size = info.me_mapsize; /* an existing file may need more than was asked for */
        env->map_size_max = whole_pages(config->map_size_max);
        (void)mdb_reader_check(env->mdb, NULL);
        if (rc == OK)
                rc = lmdb_parts_mend_length(env->mdb, damage_suspected, msg);
        if (rc == OK)
                rc = lmdb_env_update(env, meta_work, &work, msg);
        if (rc == OK)
                rc = sync_folder(config->path, ".", msg);
        if (rc == OK)
                rc = sync_folder(config->path, "..", msg);
        if (rc == OK)
                rc = begin_room(env);
        if (rc == ERR_CORRUPT)
                return err_set(msg, rc, "%s/data.mdb is damaged%s; restore it from a backup", config->path,
                        *damage_suspected ? " (it has been cut short)" : "");
        return rc == OK ? OK : err_wrap(msg, rc, "the database in %s", config->path);
}

enum err lmdb_env_open(
        struct lmdb_env **out, const struct lmdb_env_config *config, bool *damage_suspected, struct err_msg *msg)
{
        struct lmdb_env *env = vc_calloc(1, sizeof(*env));
        enum err rc;

        *out = NULL;
        if (env == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        env->lock_fd = -1;
        barrier_init(&env->barrier);
        rc = make_folder(config->path, msg);
        if (rc == OK)
                rc = lmdb_lock_take(config->path, &env->lock_fd, msg);
        if (rc == OK)
                rc = open_mdb(env, config, msg);
        if (rc == OK)
                rc = open_contents(env, config, damage_suspected, msg);
        if (rc != OK)
                lmdb_env_close(&env);
        *out = env;
        return rc;
}

void lmdb_env_close(struct lmdb_env **env)
{
        struct lmdb_env *e = *env;

        if (e == NULL)
                return;
        lmdb_readers_destroy(&e->readers);
        if (e->has_room && !e->dead)
                lmdb_room_trim(&e->room, bytes_used(e));
        if (e->mdb != NULL)
                mdb_env_close(e->mdb);
        lmdb_lock_release(&e->lock_fd);
        (void)pthread_rwlock_destroy(&e->barrier);
        vc_free(e);
        *env = NULL;
}

const struct lmdb_dbs *lmdb_env_dbs(const struct lmdb_env *env)
{
        return &env->dbs;
}

bool lmdb_env_has_merges(const struct lmdb_env *env)
{
        return env->has_merges;
}

void lmdb_env_note_merges(struct lmdb_env *env)
{
        env->has_merges = true;
}

enum err lmdb_env_read_begin(struct lmdb_env *env, MDB_txn **txn)
{
        enum err rc;

        *txn = NULL;
        (void)pthread_rwlock_rdlock(&env->barrier);
        rc = env->dead ? ERR_IO : lmdb_readers_take(env->readers, txn);
        if (rc != OK)
                (void)pthread_rwlock_unlock(&env->barrier);
        return rc;
}

void lmdb_env_read_end(struct lmdb_env *env, MDB_txn **txn)
{
        lmdb_readers_give(env->readers, txn);
        (void)pthread_rwlock_unlock(&env->barrier);
}

enum err lmdb_env_write_begin(struct lmdb_env *env, MDB_txn **txn)
{
        *txn = NULL;
        return env->dead ? ERR_IO : lmdb_err(mdb_txn_begin(env->mdb, NULL, 0, txn));
}

/* LMDB says EIO when the disk took part of a write only, which is how a disk that fills up begins to say so. */
static enum err commit_error(struct lmdb_env *env, int rc)
{
        enum { NO_ROOM = 1 << 20 };
        struct statvfs disk;
        int fd;

        if (rc == EIO && mdb_env_get_fd(env->mdb, &fd) == MDB_SUCCESS && fstatvfs(fd, &disk) == 0 &&
                (uint64_t)disk.f_bavail * disk.f_frsize < NO_ROOM)
                return ERR_DISK_FULL;
        return lmdb_err(rc);
}

/* A commit writes the new pages, syncs them, and then writes the one page that makes them the database. LMDB goes into
 * its panic state when that last write fails; any failure before it has changed nothing. */
enum err lmdb_env_write_commit(struct lmdb_env *env, MDB_txn **txn, bool *outcome_unknown)
{
        MDB_txn *probe = NULL;
        int rc = mdb_txn_commit(*txn);

        *txn = NULL;
        *outcome_unknown = false;
        if (rc == MDB_SUCCESS) {
                counter_add(COUNTER_database_commits, 1);
                return OK;
        }
        if (mdb_txn_begin(env->mdb, NULL, 0, &probe) == MDB_PANIC) {
                *outcome_unknown = true;
                env->dead = true;
        } else if (probe != NULL) {
                mdb_txn_abort(probe);
        }
        return commit_error(env, rc);
}

void lmdb_env_make_room(struct lmdb_env *env)
{
        if (!env->dead)
                lmdb_room_follow(&env->room, bytes_used(env));
}

/* LMDB unmaps the old map before it maps the new one, and cannot go back. So first see whether there is room. */
static bool address_space_for(uint64_t bytes)
{
        void *probe = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (probe == MAP_FAILED)
                return false;
        (void)munmap(probe, bytes);
        return true;
}

enum err lmdb_env_grow(struct lmdb_env *env)
{
        uint64_t size = env->map_size;
        uint64_t next = size > env->map_size_max / 2 ? env->map_size_max : size * 2;
        int rc;

        if (next <= size || !address_space_for(next))
                return ERR_MAP_FULL;
        (void)pthread_rwlock_wrlock(&env->barrier);
        rc = mdb_env_set_mapsize(env->mdb, next);
        if (rc == MDB_SUCCESS)
                env->map_size = next;
        else
                env->dead = true;
        (void)pthread_rwlock_unlock(&env->barrier);
        counter_add(COUNTER_database_map_growths, rc == MDB_SUCCESS ? 1 : 0);
        return lmdb_err(rc);
}

static enum err update_once(struct lmdb_env *env, lmdb_work_fn work, void *context, struct err_msg *msg)
{
        MDB_txn *txn;
        bool unknown;
        enum err rc = lmdb_env_write_begin(env, &txn);

        if (rc != OK)
                return err_set(msg, rc, "cannot begin a transaction: %s", err_text(rc));
        rc = work(txn, context, msg);
        if (rc != OK) {
                mdb_txn_abort(txn);
                return rc;
        }
        rc = lmdb_env_write_commit(env, &txn, &unknown);
        return rc == OK ? OK : err_set(msg, rc, "cannot write: %s", err_text(rc));
}

enum err lmdb_env_update(struct lmdb_env *env, lmdb_work_fn work, void *context, struct err_msg *msg)
{
        for (;;) {
                enum err rc = update_once(env, work, context, msg);

                if (rc != ERR_MAP_FULL || lmdb_env_grow(env) != OK)
                        return rc;
        }
}

enum err lmdb_env_usage(struct lmdb_env *env, struct lmdb_usage *out)
{
        MDB_envinfo info;
        struct statvfs disk;
        int fd;
        MDB_txn *txn;
        enum err rc;

        *out = (struct lmdb_usage){.dead = env->dead, .bytes_mapped_max = env->map_size_max};
        rc = lmdb_env_read_begin(env, &txn); /* keeps the map where it is */
        if (rc != OK)
                return rc;
        (void)mdb_env_info(env->mdb, &info);
        (void)mdb_reader_check(env->mdb, NULL);
        out->bytes_used = bytes_used(env);
        out->bytes_mapped = info.me_mapsize;
        out->readers = info.me_numreaders;
        out->readers_max = info.me_maxreaders;
        out->last_position = lmdb_position(&env->dbs, info.me_last_txnid).n;
        if (mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS || fstatvfs(fd, &disk) != 0)
                rc = ERR_IO;
        else
                out->bytes_free_on_disk = (uint64_t)disk.f_bavail * disk.f_frsize;
        lmdb_env_read_end(env, &txn);
        return rc;
}
