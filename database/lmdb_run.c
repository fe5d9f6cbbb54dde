#include "database/lmdb_run.h"

#include "base/mem.h"
#include "database/lmdb_present.h"
#include "database/value.h"

/* A stored record to be replaced or erased. The ranks of a damaged one cannot be known, so the run's are found out. */
struct present {
        bool found;
        bool decoded;
        struct lmdb_record record;
};

static void open_present(const MDB_val *stored, struct present *out)
{
        out->found = true;
        out->decoded = lmdb_record_decode(lmdb_slice(*stored), &out->record);
}

enum err lmdb_run_open(
        struct lmdb_run *run, struct lmdb_store *store, const struct lmdb_run_place *place, struct err_msg *msg)
{
        MDB_val at;
        MDB_val stored;
        int rc;

        *run = (struct lmdb_run){.store = store, .place = *place, .msg = msg};
        run->head = (struct lmdb_head){POSITION_NONE, LMDB_NO_RANKS};
        lmdb_key_student(&run->key, place->tenant, place->name, place->student);
        at = lmdb_val(lmdb_key_slice(&run->key));
        rc = mdb_cursor_get(store->records, &at, &stored, MDB_SET_RANGE);
        if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND)
                return lmdb_err(rc);
        run->found = rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(at), &run->key);
        if (run->found && (at.mv_size != run->key.len || !lmdb_head_decode(lmdb_slice(stored), &run->head)))
                run->ranks_lost = true; /* it is damaged, or gone and has left its records: closing mends it */
        run->ranks = run->head.ranks;
        return OK;
}

/* ---- ranks ---- */

static enum err lose_ranks(struct lmdb_run *run, const struct present *old)
{
        struct lmdb_ranks less = LMDB_NO_RANKS;
        enum err rc = OK;

        if (old->decoded)
                rc = lmdb_ranks_stored(run->place.table, &old->record, &less);
        run->ranks_lost = run->ranks_lost || !old->decoded || lmdb_ranks_rest_on(&run->ranks, &less);
        return rc;
}

static void gain_ranks(struct lmdb_run *run, const struct lmdb_ranks *more)
{
        run->ranks = lmdb_ranks_with(&run->ranks, more);
}

/* Moves the cursor from the head, or from before it, to the run's first record, or to the next one. */
static int next_record(const struct lmdb_run *run, MDB_val *key, MDB_val *stored, MDB_cursor_op op)
{
        int rc;

        if (op == MDB_SET_RANGE)
                *key = lmdb_val(lmdb_key_slice(&run->key));
        rc = mdb_cursor_get(run->store->records, key, stored, op);
        if (rc == MDB_SUCCESS && op == MDB_SET_RANGE && slice_equal(lmdb_slice(*key), lmdb_key_slice(&run->key)))
                rc = mdb_cursor_get(run->store->records, key, stored, MDB_NEXT);
        if (rc == MDB_SUCCESS && !lmdb_key_has_prefix(lmdb_slice(*key), &run->key))
                rc = MDB_NOTFOUND;
        return rc;
}

/* Goes through the records for the ranks of those that are left. */
static enum err find_ranks(struct lmdb_run *run)
{
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = next_record(run, &key, &stored, MDB_SET_RANGE);

        run->ranks = LMDB_NO_RANKS;
        run->ranks_lost = false;
        for (; err == OK && rc == MDB_SUCCESS; rc = next_record(run, &key, &stored, MDB_NEXT)) {
                struct lmdb_ranks ranks = LMDB_NO_RANKS;
                struct present record;

                open_present(&stored, &record);
                if (record.decoded)
                        err = lmdb_ranks_stored(run->place.table, &record.record, &ranks);
                gain_ranks(run, &ranks);
        }
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* ---- one record ---- */

/* Ids over 64 bytes share keys when their 128-bit hashes are equal. No such pair turns up by chance, but a record must
 * not take the place of another's even when somebody has made one. */
static enum err check_same_ids(const struct lmdb_run *run, const struct present *old, const struct lmdb_row *row)
{
        struct slice id;

        if (!old->decoded)
                return OK;
        if (lmdb_id_is_hashed(run->place.student) && !slice_equal(old->record.student, run->place.student))
                return err_set(run->msg, ERR_BADKEY, "the student's id has the same hash as that of another student");
        if (lmdb_id_is_hashed(row->id) && (!value_member_text(old->record.map, "id", &id) || !slice_equal(id, row->id)))
                return err_set(run->msg, ERR_BADKEY, "the record's id has the same hash as that of another record");
        return OK;
}

/* The record that is stored under the row's id, the cursor on it, and the key. */
static enum err find(const struct lmdb_run *run, const struct lmdb_row *row, struct lmdb_key *key, struct present *out)
{
        MDB_val at;
        MDB_val stored;
        int rc;

        *out = (struct present){.found = false};
        *key = run->key;
        lmdb_key_add_record(key, row->id);
        if (!run->found)
                return OK; /* no head, no records; and the rows of one write differ in their ids */
        at = lmdb_val(lmdb_key_slice(key));
        rc = mdb_cursor_get(run->store->records, &at, &stored, MDB_SET_KEY);
        if (rc != MDB_SUCCESS)
                return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
        open_present(&stored, out);
        return check_same_ids(run, out, row);
}

static enum err write_record(const struct lmdb_run *run, const struct lmdb_key *key, const struct lmdb_row *row)
{
        const struct lmdb_record record = {
                .schema = row->schema,
                .version = run->store->position,
                .student = lmdb_id_is_hashed(run->place.student) ? run->place.student : SLICE_EMPTY,
                .map = row->map,
                .original = row->original,
        };
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        MDB_val room = {.mv_size = lmdb_record_size(&record), .mv_data = NULL};
        int rc = mdb_cursor_put(run->store->records, &at, &room, MDB_RESERVE);

        if (rc == MDB_SUCCESS)
                lmdb_record_encode(&record, room.mv_data);
        return lmdb_err(rc);
}

/* Whether the stored record is this map. One of an older schema is what it reads as. */
static enum err has_map(const struct lmdb_run *run, const struct present *old, struct slice map, bool *same)
{
        struct slice stored = old->record.map;
        struct buf made;
        enum err rc = OK;

        *same = false;
        if (!old->decoded)
                return OK;
        buf_init(&made, 0);
        if (run->place.table != NULL)
                rc = lmdb_present_map(run->place.table, &old->record, &made, &stored);
        *same = rc == OK && slice_equal(stored, map);
        buf_deinit(&made);
        return rc;
}

static enum err is_equal(const struct lmdb_run *run, const struct present *old, const struct lmdb_row *row, bool *equal)
{
        enum err rc = has_map(run, old, row->map, equal);

        *equal = *equal && (row->original.bytes.len == 0 || original_equal(&old->record.original, &row->original));
        return rc;
}

static void count(struct lmdb_run *run, int64_t more)
{
        run->store->records_added += more;
        if (run->place.table == run->store->schema->students && !run->place.uncounted)
                run->store->students_added += more;
}

enum err lmdb_run_put(struct lmdb_run *run, const struct lmdb_row *row, bool *changed)
{
        struct present old;
        struct lmdb_key key;
        bool equal = false;
        enum err rc = find(run, row, &key, &old);

        if (rc == OK)
                rc = is_equal(run, &old, row, &equal);
        *changed = !equal;
        if (rc != OK || equal || run->store->dry_run)
                return rc;
        if (old.found)
                rc = lose_ranks(run, &old);
        if (rc != OK)
                return rc;
        gain_ranks(run, &row->ranks);
        run->changes++;
        count(run, old.found ? 0 : 1);
        return write_record(run, &key, row); /* `old` is not to be read any more */
}

/* The cursor stands on the record. */
static enum err erase_here(struct lmdb_run *run, const struct present *old)
{
        enum err rc = lose_ranks(run, old);

        if (rc != OK)
                return rc;
        run->changes++;
        count(run, -1);
        return lmdb_err(mdb_cursor_del(run->store->records, 0));
}

enum err lmdb_run_erase_row(struct lmdb_run *run, const struct lmdb_row *row, bool *erased)
{
        struct present old;
        struct lmdb_key key;
        enum err rc = find(run, row, &key, &old);

        *erased = rc == OK && old.found;
        return *erased && !run->store->dry_run ? erase_here(run, &old) : rc;
}

/* ---- all of them ---- */

/* Whether the record is one of place.where. A damaged one, of which nothing can be known, always is: to write the key
 * again must mend it. */
static enum err is_seen(const struct lmdb_run *run, const struct present *record, bool *out)
{
        const struct record_condition *where = run->place.where;

        *out = true;
        if (where == NULL || where->filter_count == 0 || run->place.table == NULL || !record->decoded)
                return OK;
        return lmdb_present_matches(run->place.table, &record->record, where, out);
}

static bool is_kept(const struct lmdb_rows *keep, struct slice record)
{
        return keep != NULL && lmdb_rows_find(keep, record) != NULL;
}

enum err lmdb_run_erase(struct lmdb_run *run, const struct lmdb_rows *keep)
{
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = run->found ? next_record(run, &key, &stored, MDB_SET_RANGE) : MDB_NOTFOUND;

        while (err == OK && rc == MDB_SUCCESS) {
                struct lmdb_key_parts parts;
                struct present old;
                bool seen;

                if (!lmdb_key_split(lmdb_slice(key), 0, &parts))
                        return ERR_CORRUPT;
                open_present(&stored, &old);
                err = is_seen(run, &old, &seen);
                if (err == OK && seen && !is_kept(keep, parts.record))
                        err = erase_here(run, &old);
                if (err == OK)
                        rc = next_record(run, &key, &stored, MDB_NEXT);
        }
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

enum err lmdb_run_any(const struct lmdb_run *run, bool *out)
{
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = run->found ? next_record(run, &key, &stored, MDB_SET_RANGE) : MDB_NOTFOUND;

        *out = false;
        while (err == OK && rc == MDB_SUCCESS && !*out) {
                struct present record;

                open_present(&stored, &record);
                err = is_seen(run, &record, out);
                if (err == OK)
                        rc = next_record(run, &key, &stored, MDB_NEXT);
        }
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

enum err lmdb_run_hides(const struct lmdb_run *run, const struct lmdb_rows *rows, bool *out)
{
        enum err rc = OK;

        *out = false;
        if (run->place.where == NULL || run->place.where->filter_count == 0)
                return OK;
        for (size_t i = 0; rc == OK && i < rows->count && !*out; i++) {
                struct lmdb_key key;
                struct present old;
                bool seen = true;

                rc = find(run, &rows->row[i], &key, &old);
                if (rc == OK && old.found)
                        rc = is_seen(run, &old, &seen);
                *out = !seen;
        }
        return rc;
}

/* ---- moving ---- */

enum err lmdb_run_clashes(const struct lmdb_run *run, const struct lmdb_rows *rows, bool *out)
{
        enum err rc = OK;

        *out = false;
        for (size_t i = 0; rc == OK && i < rows->count && !*out; i++) {
                struct lmdb_key key;
                struct present old;
                bool same = false;

                rc = find(run, &rows->row[i], &key, &old);
                if (rc == OK && old.found)
                        rc = has_map(run, &old, rows->row[i].map, &same);
                *out = rc == OK && old.found && !same;
        }
        return rc;
}

static enum err make_room(struct lmdb_rows *rows)
{
        size_t wanted = rows->count < 16 ? 16 : rows->count * 2;
        struct lmdb_row *row;

        if (rows->count > 0 && (rows->count < 16 || (rows->count & (rows->count - 1)) != 0))
                return OK; /* it grows at 0, 16, 32, 64… */
        row = vc_realloc(rows->row, wanted * sizeof(*row));
        if (row == NULL)
                return ERR_NOMEM;
        rows->row = row;
        return OK;
}

/* In the table's present form. Ids are in the maps, which move as they grow: lmdb_run_rows() finds them at the end. */
static enum err copy_record(const struct lmdb_run *run, const MDB_val *stored, struct lmdb_rows *rows)
{
        const struct record_table *table = run->place.table;
        struct present old;
        struct lmdb_row row = {.at = (uint32_t)rows->count};
        struct buf made;
        enum err rc = make_room(rows);

        buf_init(&made, 0);
        open_present(stored, &old);
        row.map = old.record.map;
        row.original = old.record.original;
        row.schema = table == NULL ? old.record.schema : table->schema;
        if (rc == OK && !old.decoded)
                rc = ERR_CORRUPT;
        if (rc == OK && table != NULL)
                rc = lmdb_present_map(table, &old.record, &made, &row.map);
        if (rc == OK)
                rc = lmdb_ranks_stored(table, &old.record, &row.ranks);
        if (rc == OK)
                rc = buf_append_slice(&rows->bytes, row.map);
        if (rc == OK)
                rc = buf_append_slice(&rows->bytes, row.original.bytes);
        if (rc == OK)
                rows->row[rows->count++] = row;
        buf_deinit(&made);
        return rc;
}

enum err lmdb_run_rows(struct lmdb_store *store, const struct lmdb_run_place *place, struct lmdb_rows *rows)
{
        struct lmdb_run run;
        MDB_val key;
        MDB_val stored;
        enum err err;
        int rc;

        lmdb_rows_init(rows);
        err = lmdb_run_open(&run, store, place, NULL);
        if (err != OK || !run.found)
                return err;
        rc = next_record(&run, &key, &stored, MDB_SET_RANGE);
        while (err == OK && rc == MDB_SUCCESS) {
                err = copy_record(&run, &stored, rows);
                rc = next_record(&run, &key, &stored, MDB_NEXT);
        }
        lmdb_rows_place(rows);
        for (size_t i = 0; err == OK && i < rows->count; i++)
                if (!value_member_text(rows->row[i].map, "id", &rows->row[i].id))
                        err = ERR_CORRUPT;
        return err != OK || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* ---- the end ---- */

static enum err replace_index_rows(struct lmdb_run *run, const struct lmdb_ranks *fresh)
{
        const struct lmdb_index_place place = {run->place.tenant, run->place.name, run->place.student};

        if (run->place.table == NULL)
                return OK;
        return lmdb_index_replace(run->store->txn, run->store->dbs, &place, &run->head.ranks, fresh);
}

enum err lmdb_run_close(struct lmdb_run *run)
{
        uint8_t bytes[LMDB_HEAD_SIZE];
        MDB_val at = lmdb_val(lmdb_key_slice(&run->key));
        MDB_val value = lmdb_val(slice_of(bytes, sizeof(bytes)));
        struct lmdb_head head = {.position = run->store->position};
        enum err rc = OK;

        if (run->changes == 0 && !run->renewed)
                return OK;
        if (run->ranks_lost)
                rc = find_ranks(run);
        head.ranks = run->ranks;
        lmdb_head_encode(&head, bytes);
        if (rc == OK)
                rc = lmdb_err(mdb_cursor_put(run->store->records, &at, &value, 0));
        return rc == OK ? replace_index_rows(run, &head.ranks) : rc;
}

static enum err remove_head(const struct lmdb_run *run)
{
        MDB_val at = lmdb_val(lmdb_key_slice(&run->key));
        int rc = mdb_del(run->store->txn, run->store->dbs->records, &at, NULL);

        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

enum err lmdb_run_remove(struct lmdb_run *run)
{
        const struct lmdb_ranks none = LMDB_NO_RANKS;
        enum err rc;

        if (!run->found)
                return OK;
        rc = lmdb_run_erase(run, NULL);
        if (rc == OK)
                rc = remove_head(run);
        return rc == OK ? replace_index_rows(run, &none) : rc;
}
