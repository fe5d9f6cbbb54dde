#include "database/lmdb_merge.h"

#include "database/lmdb_key.h"
#include "database/source_write.h"

static const char INTO[] = "into";
static const char FROM[] = "from";

static struct lmdb_key into_key(struct slice tenant, struct slice student)
{
        struct lmdb_key key;

        lmdb_key_student(&key, tenant, INTO, student);
        return key;
}

static struct lmdb_key from_key(struct slice tenant, struct slice student, struct slice other)
{
        struct lmdb_key key;

        lmdb_key_student(&key, tenant, FROM, student);
        lmdb_key_add_record(&key, other);
        return key;
}

static bool keep(struct slice id, struct lmdb_merge_id *room)
{
        if (id.len == 0 || id.len > sizeof(room->bytes))
                return false;
        memcpy(room->bytes, id.data, id.len);
        room->len = id.len;
        return true;
}

enum err lmdb_merge_root(
        MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student, struct lmdb_merge_id *room)
{
        const struct lmdb_key key = into_key(tenant, student);
        MDB_val at = lmdb_val(lmdb_key_slice(&key));
        MDB_val root;
        int rc = mdb_get(txn, dbs->merged, &at, &root);

        if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                return lmdb_err(rc);
        return keep(rc == MDB_SUCCESS ? lmdb_slice(root) : student, room) ? OK : ERR_CORRUPT;
}

enum err lmdb_merge_list(
        MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student, struct buf *out)
{
        struct lmdb_key run;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val id;
        enum err err = OK;
        int rc = mdb_cursor_open(txn, dbs->merged, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_key_student(&run, tenant, FROM, student);
        key = lmdb_val(lmdb_key_slice(&run));
        rc = mdb_cursor_get(cursor, &key, &id, MDB_SET_RANGE);
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &run)) {
                err = id.mv_size > RECORD_ID_MAX ? ERR_CORRUPT : source_touched_add(out, lmdb_slice(id));
                rc = mdb_cursor_get(cursor, &key, &id, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

static enum err put(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_key *key, struct slice id)
{
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        MDB_val value = lmdb_val(id);

        return lmdb_err(mdb_put(txn, dbs->merged, &at, &value, 0));
}

static enum err del(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_key *key)
{
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        int rc = mdb_del(txn, dbs->merged, &at, NULL);

        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

enum err lmdb_merge_forget(MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student)
{
        const struct lmdb_key into = into_key(tenant, student);
        struct lmdb_merge_id root;
        struct lmdb_key from;
        enum err rc = lmdb_merge_root(txn, dbs, tenant, student, &root);

        if (rc != OK)
                return rc;
        from = from_key(tenant, lmdb_merge_slice(&root), student);
        rc = del(txn, dbs, &from);
        return rc == OK ? del(txn, dbs, &into) : rc;
}

enum err lmdb_merge_note(
        MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice tenant, struct slice student, struct slice into)
{
        const struct lmdb_key key = into_key(tenant, student);
        const struct lmdb_key back = from_key(tenant, into, student);
        enum err rc = lmdb_merge_forget(txn, dbs, tenant, student);

        if (rc == OK)
                rc = put(txn, dbs, &key, into);
        return rc == OK ? put(txn, dbs, &back, student) : rc;
}

/* The id that stands under the key; empty: there is none. */
static enum err get(MDB_txn *txn, const struct lmdb_dbs *dbs, const struct lmdb_key *key, struct slice *id)
{
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        MDB_val value;
        int rc = mdb_get(txn, dbs->merged, &at, &value);

        *id = rc == MDB_SUCCESS ? lmdb_slice(value) : SLICE_EMPTY;
        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

enum err lmdb_merge_fits(MDB_txn *txn, const struct lmdb_dbs *dbs, struct slice key, struct slice id, bool *fits)
{
        struct lmdb_key_parts parts;
        struct lmdb_key counterpart;
        struct lmdb_key onward;
        struct slice other;
        struct slice further;
        enum err rc;

        *fits = false;
        if (key.len > LMDB_KEY_MAX || !lmdb_key_split(key, 0, &parts) || id.len == 0 || id.len > RECORD_ID_MAX)
                return OK;
        if (slice_equal(parts.table, slice_str(FROM))) {
                counterpart = into_key(parts.tenant, id);
                rc = get(txn, dbs, &counterpart, &other);
                *fits = rc == OK && lmdb_part_is_of(parts.record, id) && lmdb_part_is_of(parts.student, other);
                return rc;
        }
        counterpart = from_key(parts.tenant, id, parts.student);
        onward = into_key(parts.tenant, id);
        rc = get(txn, dbs, &counterpart, &other);
        if (rc == OK)
                rc = get(txn, dbs, &onward, &further);
        *fits = rc == OK && slice_equal(parts.table, slice_str(INTO)) && lmdb_part_is_of(parts.student, other) &&
                further.len == 0;
        return rc;
}
