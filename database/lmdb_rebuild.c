#include "database/lmdb_rebuild.h"

#include "database/lmdb_err.h"
#include "database/lmdb_image.h"
#include "database/lmdb_parts.h"

struct rebuild {
        MDB_env *from;
        MDB_env *to;
        MDB_txn *in;
        MDB_txn *out;
        size_t pending; /* bytes put since the last commit */
};

enum { COMMIT_BYTES = 16 << 20 }; /* so that the pages of one transaction stay in memory */

static enum err commit(struct rebuild *r)
{
        int rc = mdb_txn_commit(r->out);

        r->out = NULL;
        r->pending = 0;
        return rc == MDB_SUCCESS ? lmdb_err(mdb_txn_begin(r->to, NULL, 0, &r->out)) : lmdb_err(rc);
}

static enum err put(struct rebuild *r, MDB_dbi dbi, MDB_val *key, MDB_val *value)
{
        enum err rc = OK;

        if (r->pending > COMMIT_BYTES)
                rc = commit(r);
        r->pending += key->mv_size + value->mv_size;
        return rc == OK ? lmdb_err(mdb_put(r->out, dbi, key, value, MDB_APPEND)) : rc;
}

static enum err copy_part(void *context, MDB_txn *in, MDB_dbi from, const char *name)
{
        struct rebuild *r = context;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val value;
        MDB_dbi to;
        enum err err = OK;
        int rc = mdb_dbi_open(r->out, name, MDB_CREATE, &to);

        if (rc == MDB_SUCCESS)
                rc = mdb_cursor_open(in, from, &cursor);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        while (err == OK && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == MDB_SUCCESS)
                err = put(r, to, &key, &value);
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

static enum err copy_all(struct rebuild *r)
{
        enum err rc = lmdb_err(mdb_txn_begin(r->from, NULL, MDB_RDONLY, &r->in));

        if (rc == OK)
                rc = lmdb_err(mdb_txn_begin(r->to, NULL, 0, &r->out));
        if (rc == OK)
                rc = lmdb_parts_visit(r->in, copy_part, r);
        if (rc == OK)
                rc = commit(r);
        mdb_txn_abort(r->out);
        mdb_txn_abort(r->in);
        return rc == OK ? lmdb_err(mdb_env_sync(r->to, 1)) : rc;
}

/* Nobody else uses either, so neither needs LMDB's lock file; and what is not complete need not be durable. */
static enum err open_both(struct rebuild *r, const char *from, const char *to)
{
        MDB_envinfo info;
        enum err rc = lmdb_parts_open(&r->from, from, MDB_RDONLY | MDB_NOLOCK, 0);

        if (rc != OK)
                return rc;
        (void)mdb_env_info(r->from, &info);
        return lmdb_parts_open(&r->to, to, MDB_NOSYNC | MDB_NOLOCK, info.me_mapsize);
}

enum err lmdb_rebuild(const char *from, const char *to, struct err_msg *msg)
{
        struct rebuild r = {.from = NULL};
        struct lmdb_image_facts facts;
        enum err rc;

        lmdb_image_facts_init(&facts);
        rc = lmdb_image_look(from, &facts, msg);
        if (rc == OK) {
                rc = open_both(&r, from, to);
                if (rc == OK)
                        rc = copy_all(&r);
                if (rc != OK)
                        (void)err_set(msg, rc, "cannot write the database in %s anew: %s", from, err_text(rc));
        }
        lmdb_parts_close(&r.to);
        lmdb_parts_close(&r.from);
        if (rc == OK)
                rc = lmdb_image_settle(to, facts.position, msg);
        lmdb_image_facts_deinit(&facts);
        return rc;
}
