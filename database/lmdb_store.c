#include "database/lmdb_store.h"

#include "database/lmdb_index.h"
#include "database/lmdb_key.h"
#include "database/lmdb_present.h"
#include "database/value.h"

/* A stored record to be replaced or erased, with the index rows it has. The rows of a damaged one cannot be known; the
 * integrity check finds them. */
struct present {
        bool decoded;
        struct lmdb_record record;
        struct lmdb_index_rows rows;
};

static void open_present(const struct record_table *table, const struct lmdb_key_parts *parts, const MDB_val *stored,
        struct present *out)
{
        out->rows.has_activity = out->rows.has_severity = false;
        out->decoded = lmdb_record_decode(lmdb_slice(*stored), &out->record);
        if (out->decoded && table != NULL)
                lmdb_index_rows_of(table, parts, out->record.map, &out->rows);
}

/* Ids over 64 bytes share keys when their 128-bit hashes are equal. No such pair turns up by chance, but a record must
 * not take the place of another's even when somebody has made one. */
static enum err check_same_ids(const struct present *old, const struct lmdb_row *row, struct err_msg *msg)
{
        struct slice id;

        if (!old->decoded)
                return OK;
        if (lmdb_id_is_hashed(row->student) && !slice_equal(old->record.student, row->student))
                return err_set(msg, ERR_BADKEY, "the student's id has the same hash as that of another student");
        if (lmdb_id_is_hashed(row->id) && (!value_member_text(old->record.map, "id", &id) || !slice_equal(id, row->id)))
                return err_set(msg, ERR_BADKEY, "the record's id has the same hash as that of another record");
        return OK;
}

static enum err store(
        const struct lmdb_store *s, const struct record_table *table, struct lmdb_key *key, const struct lmdb_row *row)
{
        const struct lmdb_record record = {
                .schema = table->schema,
                .version = s->position,
                .student = lmdb_id_is_hashed(row->student) ? row->student : SLICE_EMPTY,
                .map = row->map,
        };
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        MDB_val room = {.mv_size = lmdb_record_size(&record), .mv_data = NULL};
        int rc = mdb_put(s->txn, s->dbs->records, &at, &room, MDB_RESERVE);

        if (rc == MDB_SUCCESS)
                lmdb_record_encode(&record, room.mv_data);
        return lmdb_err(rc);
}

enum err lmdb_store_put(const struct lmdb_store *s, const struct lmdb_place *place, const struct lmdb_row *row,
        enum lmdb_outcome *outcome)
{
        const struct lmdb_key_parts parts = {.tenant = place->tenant, .student = row->student, .record = row->id};
        struct lmdb_index_rows fresh;
        struct present old = {.decoded = false};
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        enum err rc;
        int found;

        lmdb_key_student(&key, place->tenant, place->table->name, row->student);
        lmdb_key_add_record(&key, row->id);
        at = lmdb_val(lmdb_key_slice(&key));
        found = mdb_get(s->txn, s->dbs->records, &at, &stored);
        if (found != MDB_SUCCESS && found != MDB_NOTFOUND)
                return lmdb_err(found);
        *outcome = found == MDB_SUCCESS ? LMDB_CHANGED : LMDB_CREATED;
        if (found == MDB_SUCCESS) {
                open_present(place->table, &parts, &stored, &old);
                rc = check_same_ids(&old, row, place->msg);
                if (rc != OK)
                        return rc;
        }
        if (old.decoded && slice_equal(old.record.map, row->map)) {
                *outcome = LMDB_UNCHANGED;
                return OK;
        }
        if (s->dry_run)
                return OK;
        lmdb_index_rows_of(place->table, &parts, row->map, &fresh);
        rc = store(s, place->table, &key, row); /* from here on `stored` is not to be read */
        return rc == OK ? lmdb_index_replace(s->txn, s->dbs, old.decoded ? &old.rows : NULL, &fresh) : rc;
}

enum err lmdb_store_erase_row(
        const struct lmdb_store *s, const struct lmdb_place *place, const struct lmdb_row *row, bool *erased)
{
        const struct lmdb_key_parts parts = {.tenant = place->tenant, .student = row->student, .record = row->id};
        struct present old;
        struct lmdb_key key;
        MDB_val at;
        MDB_val stored;
        enum err rc;
        int found;

        lmdb_key_student(&key, place->tenant, place->table->name, row->student);
        lmdb_key_add_record(&key, row->id);
        at = lmdb_val(lmdb_key_slice(&key));
        found = mdb_get(s->txn, s->dbs->records, &at, &stored);
        *erased = found == MDB_SUCCESS;
        if (found != MDB_SUCCESS)
                return found == MDB_NOTFOUND ? OK : lmdb_err(found);
        open_present(place->table, &parts, &stored, &old);
        rc = check_same_ids(&old, row, place->msg);
        if (rc != OK || s->dry_run)
                return rc;
        rc = lmdb_index_replace(s->txn, s->dbs, old.decoded ? &old.rows : NULL, NULL);
        return rc == OK ? lmdb_err(mdb_del(s->txn, s->dbs->records, &at, NULL)) : rc;
}

/* Erases the record at the cursor and its index rows. */
static enum err erase_at(const struct lmdb_store *s, const struct record_table *table, MDB_cursor *cursor,
        const struct lmdb_key_parts *parts, const MDB_val *stored)
{
        struct present old;
        enum err rc;

        open_present(table, parts, stored, &old);
        rc = lmdb_index_replace(s->txn, s->dbs, old.decoded ? &old.rows : NULL, NULL);
        return rc == OK ? lmdb_err(mdb_cursor_del(cursor, 0)) : rc;
}

/* A damaged record, of which nothing can be known, is in every run: to write the key again must mend it. */
static enum err check_in(const struct lmdb_run *run, const MDB_val *stored, bool *in)
{
        struct lmdb_record record;

        *in = true;
        if (run->where == NULL || run->table == NULL || !lmdb_record_decode(lmdb_slice(*stored), &record))
                return OK;
        return lmdb_present_matches(run->table, &record, run->where, in);
}

static bool is_kept(const struct lmdb_run *run, struct slice record)
{
        return run->keep != NULL && lmdb_rows_find(run->keep, record) != NULL;
}

enum err lmdb_store_erase(const struct lmdb_store *s, const struct lmdb_run *run, uint64_t *erased)
{
        struct lmdb_key prefix;
        struct lmdb_key_parts parts;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = mdb_cursor_open(s->txn, s->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_key_student(&prefix, run->tenant, run->name, run->student);
        key = lmdb_val(lmdb_key_slice(&prefix));
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &prefix)) {
                bool in = false;

                err = lmdb_key_split(lmdb_slice(key), 0, &parts) ? check_in(run, &stored, &in) : ERR_CORRUPT;
                if (err == OK && in && !is_kept(run, parts.record)) {
                        err = erase_at(s, run->table, cursor, &parts, &stored);
                        *erased += err == OK;
                }
                if (err == OK)
                        rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

enum err lmdb_store_any(const struct lmdb_store *s, const struct lmdb_run *run, bool *out)
{
        struct lmdb_key prefix;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = mdb_cursor_open(s->txn, s->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_key_student(&prefix, run->tenant, run->name, run->student);
        key = lmdb_val(lmdb_key_slice(&prefix));
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
        *out = false;
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &prefix) && !*out) {
                err = check_in(run, &stored, out);
                rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

enum err lmdb_store_hides(const struct lmdb_store *s, const struct lmdb_run *run, bool *out)
{
        enum err err = OK;

        *out = false;
        for (size_t i = 0; err == OK && i < run->keep->count && !*out; i++) {
                bool in = true;
                struct lmdb_key key;
                MDB_val at;
                MDB_val stored;
                int rc;

                lmdb_key_student(&key, run->tenant, run->name, run->student);
                lmdb_key_add_record(&key, run->keep->row[i].id);
                at = lmdb_val(lmdb_key_slice(&key));
                rc = mdb_get(s->txn, s->dbs->records, &at, &stored);
                if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                        return lmdb_err(rc);
                if (rc == MDB_SUCCESS)
                        err = check_in(run, &stored, &in);
                *out = !in;
        }
        return err;
}
