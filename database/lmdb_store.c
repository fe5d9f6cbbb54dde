#include "database/lmdb_store.h"

#include "database/lmdb_key.h"
#include "database/lmdb_record.h"

enum err lmdb_store_begin(struct lmdb_store *s, MDB_txn *txn)
{
        int rc;

        s->txn = txn;
        s->records = s->known = NULL;
        s->position = lmdb_position(s->dbs, mdb_txn_id(txn));
        s->dry_run = false;
        s->students_added = s->records_added = 0;
        rc = mdb_cursor_open(txn, s->dbs->records, &s->records);
        if (rc == MDB_SUCCESS)
                rc = mdb_cursor_open(txn, s->dbs->records, &s->known);
        return lmdb_err(rc);
}

static enum err add_to(const struct lmdb_store *s, const char *name, int64_t more)
{
        uint64_t count;
        enum err rc;

        if (more == 0)
                return OK;
        rc = lmdb_meta_get(s->txn, s->dbs, name, &count);
        return rc == OK ? lmdb_meta_put(s->txn, s->dbs, name, count + (uint64_t)more) : rc;
}

enum err lmdb_store_finish(struct lmdb_store *s)
{
        enum err rc = add_to(s, LMDB_META_STUDENTS, s->students_added);

        return rc == OK ? add_to(s, LMDB_META_RECORDS, s->records_added) : rc;
}

void lmdb_store_end(struct lmdb_store *s)
{
        if (s->records != NULL)
                mdb_cursor_close(s->records);
        if (s->known != NULL)
                mdb_cursor_close(s->known);
        s->records = s->known = NULL;
}

enum err lmdb_store_knows(const struct lmdb_store *s, struct slice tenant, struct slice student, bool *known)
{
        struct lmdb_record record;
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        int rc;

        lmdb_key_student(&key, tenant, s->schema->students->name, student);
        lmdb_key_add_record(&key, student);
        at = lmdb_val(lmdb_key_slice(&key));
        rc = mdb_cursor_get(s->known, &at, &stored, MDB_SET_KEY);
        *known = rc == MDB_SUCCESS;
        if (rc != MDB_SUCCESS)
                return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
        if (!lmdb_id_is_hashed(student))
                return OK;
        if (!lmdb_record_decode(lmdb_slice(stored), &record))
                return ERR_CORRUPT;
        *known = slice_equal(record.student, student); /* another one's id may have the same hash */
        return OK;
}
