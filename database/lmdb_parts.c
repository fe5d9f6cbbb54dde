#include "database/lmdb_parts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        PARTS_MAX = 32,     /* as many as any format has had, and more */
        READERS_MAX = 1024, /* of the table that is made when nobody has the database open */
        NAME_SIZE = 64,
};

enum err lmdb_parts_open(MDB_env **out, const char *folder, unsigned int flags, size_t map_size)
{
        int rc;

        *out = NULL;
        rc = mdb_env_create(out);
        if (rc == MDB_SUCCESS)
                rc = mdb_env_set_maxdbs(*out, PARTS_MAX);
        if (rc == MDB_SUCCESS)
                rc = mdb_env_set_maxreaders(*out, READERS_MAX);
        if (rc == MDB_SUCCESS && map_size > 0)
                rc = mdb_env_set_mapsize(*out, map_size);
        if (rc == MDB_SUCCESS)
                rc = mdb_env_open(*out, folder, flags | MDB_NOTLS, 0600);
        if (rc == MDB_SUCCESS)
                return OK;
        lmdb_parts_close(out);
        return rc == ENOENT ? ERR_NOTFOUND : lmdb_err(rc);
}

void lmdb_parts_close(MDB_env **mdb)
{
        if (*mdb != NULL)
                mdb_env_close(*mdb);
        *mdb = NULL;
}

enum err lmdb_parts_mend_length(MDB_env *mdb, bool *was_short, struct err_msg *msg)
{
        MDB_envinfo info;
        MDB_stat stat;
        struct stat file;
        uint64_t needed;
        int fd;

        *was_short = false;
        (void)mdb_env_info(mdb, &info);
        (void)mdb_env_stat(mdb, &stat);
        if (mdb_env_get_fd(mdb, &fd) != MDB_SUCCESS || fstat(fd, &file) != 0)
                return err_errno(msg, ERR_IO, errno, "cannot look at its file");
        needed = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
        if ((uint64_t)file.st_size >= needed)
                return OK;
        *was_short = true;
        if (ftruncate(fd, (off_t)needed) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot lengthen its file");
        return OK;
}

static enum err visit_part(MDB_txn *txn, MDB_val key, lmdb_part_fn visit, void *context)
{
        char name[NAME_SIZE];
        MDB_dbi part;
        int rc;

        if (key.mv_size >= sizeof(name))
                return ERR_VERSION;
        (void)snprintf(name, sizeof(name), "%.*s", SLICE_ARG(lmdb_slice(key)));
        rc = mdb_dbi_open(txn, name, 0, &part);
        if (rc == MDB_INCOMPATIBLE || rc == MDB_NOTFOUND) /* an entry that is no sub-database */
                return ERR_VERSION;
        return rc == MDB_SUCCESS ? visit(context, txn, part, name) : lmdb_err(rc);
}

enum err lmdb_parts_visit(MDB_txn *txn, lmdb_part_fn visit, void *context)
{
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        MDB_dbi names;
        enum err err = OK;
        int rc = mdb_dbi_open(txn, NULL, 0, &names);

        if (rc == MDB_SUCCESS)
                rc = mdb_cursor_open(txn, names, &cursor);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while (err == OK && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                err = visit_part(txn, key, visit, context);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}
