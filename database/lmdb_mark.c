#include "database/lmdb_mark.h"

#include "database/lmdb_meta.h"
#include "database/lmdb_parts.h"

#define PLACE "copying"

/* Names in it. */
#define SOURCE "source"
#define TARGET "target"
#define PART   "part"
#define KEY    "key"

/* ---- reading ---- */

enum err lmdb_mark_get_bytes(MDB_txn *txn, MDB_dbi place, const char *name, struct slice *bytes)
{
        MDB_val key = lmdb_val(slice_str(name));
        MDB_val value;
        int rc = mdb_get(txn, place, &key, &value);

        if (rc == MDB_SUCCESS)
                *bytes = lmdb_slice(value);
        return lmdb_err(rc);
}

static enum err read_of(MDB_txn *txn, MDB_dbi place, const char *source, const char *target, struct lmdb_mark_of *of)
{
        const struct lmdb_dbs numbers = {.meta = place};
        enum err rc = lmdb_meta_get(txn, &numbers, source, &of->source);

        return rc == OK ? lmdb_meta_get(txn, &numbers, target, &of->target) : rc;
}

static enum err read_half(MDB_txn *txn, MDB_dbi place, struct lmdb_mark *mark)
{
        struct slice part;
        struct slice key;
        enum err rc = read_of(txn, place, SOURCE, TARGET, &mark->of);

        if (rc == OK)
                rc = lmdb_mark_get_bytes(txn, place, PART, &part);
        if (rc == OK)
                rc = lmdb_mark_get_bytes(txn, place, KEY, &key);
        if (rc != OK)
                return rc;
        if (part.len == 0 || part.len >= sizeof(mark->part) || key.len == 0 || key.len > sizeof(mark->key))
                return ERR_CORRUPT;
        memcpy(mark->part, part.data, part.len);
        memcpy(mark->key, key.data, key.len);
        mark->key_len = key.len;
        return OK;
}

static enum err read_whole(MDB_txn *txn, MDB_dbi meta, struct lmdb_mark *mark)
{
        enum err rc = read_of(txn, meta, LMDB_META_MADE_OF, LMDB_META_MADE_FOR, &mark->of);

        return rc == OK && mark->of.source == 0 ? ERR_VERSION : rc; /* it does not say */
}

static enum err read_state(MDB_txn *txn, enum lmdb_mark_state *state, struct lmdb_mark *mark)
{
        MDB_dbi part;
        MDB_stat stat;
        int rc = mdb_dbi_open(txn, NULL, 0, &part);

        if (rc == MDB_SUCCESS)
                rc = mdb_stat(txn, part, &stat);
        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        *state = LMDB_MARK_NOTHING;
        if (stat.ms_entries == 0)
                return OK;
        *state = LMDB_MARK_HALF;
        rc = mdb_dbi_open(txn, PLACE, 0, &part);
        if (rc != MDB_NOTFOUND)
                return rc == MDB_SUCCESS ? read_half(txn, part, mark) : lmdb_err(rc);
        *state = LMDB_MARK_WHOLE;
        rc = mdb_dbi_open(txn, "meta", 0, &part);
        return rc == MDB_SUCCESS ? read_whole(txn, part, mark) : lmdb_err(rc);
}

enum err lmdb_mark_look(const char *folder, enum lmdb_mark_state *state, struct lmdb_mark *mark)
{
        bool was_short;
        MDB_env *mdb;
        MDB_txn *txn;
        enum err rc = lmdb_parts_open(&mdb, folder, MDB_NOLOCK, 0);

        *mark = (struct lmdb_mark){.part = ""};
        if (rc == OK)
                rc = lmdb_parts_mend_length(mdb, &was_short, NULL);
        if (rc == OK)
                rc = lmdb_err(mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn));
        if (rc == OK) {
                rc = read_state(txn, state, mark);
                mdb_txn_abort(txn);
        }
        lmdb_parts_close(&mdb);
        if (rc != OK)
                *state = LMDB_MARK_UNKNOWN;
        return rc == ERR_NOMEM ? rc : OK;
}

/* ---- writing ---- */

enum err lmdb_mark_open(MDB_txn *out, MDB_dbi *place)
{
        return lmdb_err(mdb_dbi_open(out, PLACE, MDB_CREATE, place));
}

enum err lmdb_mark_put_bytes(MDB_txn *out, MDB_dbi place, const char *name, struct slice bytes)
{
        MDB_val key = lmdb_val(slice_str(name));
        MDB_val value = lmdb_val(bytes);

        return lmdb_err(mdb_put(out, place, &key, &value, 0));
}

enum err lmdb_mark_put(MDB_txn *out, MDB_dbi place, const struct lmdb_mark *mark)
{
        const struct lmdb_dbs numbers = {.meta = place};
        enum err rc = lmdb_meta_put(out, &numbers, SOURCE, mark->of.source);

        if (rc == OK)
                rc = lmdb_meta_put(out, &numbers, TARGET, mark->of.target);
        if (rc == OK)
                rc = lmdb_mark_put_bytes(out, place, PART, slice_str(mark->part));
        return rc == OK ? lmdb_mark_put_bytes(out, place, KEY, slice_of(mark->key, mark->key_len)) : rc;
}

enum err lmdb_mark_finish(MDB_txn *out, MDB_dbi place, const struct lmdb_mark_of *of)
{
        struct lmdb_dbs dbs = {.meta = 0};
        enum err rc = lmdb_err(mdb_drop(out, place, 1));

        if (rc == OK)
                rc = lmdb_err(mdb_dbi_open(out, "meta", 0, &dbs.meta));
        if (rc == OK)
                rc = lmdb_meta_put(out, &dbs, LMDB_META_MADE_OF, of->source);
        return rc == OK ? lmdb_meta_put(out, &dbs, LMDB_META_MADE_FOR, of->target) : rc;
}
