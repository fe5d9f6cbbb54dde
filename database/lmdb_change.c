#include "database/lmdb_change.h"

#include "base/mem.h"
#include "database/lmdb_index.h"
#include "database/lmdb_key.h"
#include "database/lmdb_read.h"
#include "database/lmdb_record.h"
#include "database/value.h"

void lmdb_change_begin(struct lmdb_change *change, MDB_txn *txn)
{
        change->txn = txn;
        change->position = (struct position){mdb_txn_id(txn)};
        change->changed = false;
        change->students = 0;
        change->tag_count = 0;
}

void lmdb_change_deinit(struct lmdb_change *change)
{
        vc_free(change->tags);
        change->tags = NULL;
        change->tag_capacity = 0;
}

enum err lmdb_change_finish(struct lmdb_change *change)
{
        uint64_t students;
        enum err rc;

        if (change->students == 0)
                return OK;
        rc = lmdb_meta_get(change->txn, change->dbs, LMDB_META_STUDENTS, &students);
        if (rc != OK)
                return rc;
        return lmdb_meta_put(change->txn, change->dbs, LMDB_META_STUDENTS, students + (uint64_t)change->students);
}

/* ---- tags and versions ---- */

static enum err add_tag(struct lmdb_change *c, const struct tag *tag)
{
        size_t capacity = c->tag_capacity == 0 ? 64 : c->tag_capacity * 2;
        uint64_t *tags;

        c->changed = true;
        if (c->tag_count == c->tag_capacity) {
                tags = vc_realloc(c->tags, capacity * sizeof(*tags));
                if (tags == NULL)
                        return ERR_NOMEM;
                c->tags = tags;
                c->tag_capacity = capacity;
        }
        c->tags[c->tag_count++] = tag_hash(tag, c->tag_seed);
        return OK;
}

/* Records of this student in this table have changed: their version is this commit's position, and their tag is
 * touched. */
static enum err touch(struct lmdb_change *c, struct slice tenant, const char *table, struct slice student)
{
        const struct tag tag = {TAG_STUDENT_TABLE, tenant, student, slice_str(table)};
        struct lmdb_key key;
        uint8_t position[8];
        MDB_val at;
        MDB_val value = lmdb_val(slice_of(position, sizeof(position)));
        enum err rc = add_tag(c, &tag);

        if (rc != OK)
                return rc;
        lmdb_put_u64(position, c->position.n);
        lmdb_key_student(&key, tenant, table, student);
        at = lmdb_val(lmdb_key_slice(&key));
        return lmdb_err(mdb_put(c->txn, c->dbs->versions, &at, &value, 0));
}

/* The newest commit that touched these records; POSITION_NONE when none did. */
static enum err version_of(struct lmdb_change *c, const struct source_write *w, struct position *out)
{
        struct lmdb_key key;
        MDB_val at;
        MDB_val value;
        int rc;

        *out = POSITION_NONE;
        lmdb_key_student(&key, w->tenant, w->type->table->name, w->id);
        at = lmdb_val(lmdb_key_slice(&key));
        rc = mdb_get(c->txn, c->dbs->versions, &at, &value);
        if (rc != MDB_SUCCESS)
                return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
        return lmdb_get_u64(lmdb_slice(value), &out->n) ? OK : ERR_CORRUPT;
}

/* ---- records ---- */

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
        struct lmdb_change *c, const struct record_table *table, struct lmdb_key *key, const struct lmdb_row *row)
{
        const struct lmdb_record record = {
                .schema = table->schema,
                .version = c->position,
                .student = lmdb_id_is_hashed(row->student) ? row->student : SLICE_EMPTY,
                .map = row->map,
        };
        MDB_val at = lmdb_val(lmdb_key_slice(key));
        MDB_val room = {.mv_size = lmdb_record_size(&record), .mv_data = NULL};
        int rc = mdb_put(c->txn, c->dbs->records, &at, &room, MDB_RESERVE);

        if (rc == MDB_SUCCESS)
                lmdb_record_encode(&record, room.mv_data);
        return lmdb_err(rc);
}

/* Where records are written: the tenant's table. */
struct place {
        const struct record_table *table;
        struct slice tenant;
        struct err_msg *msg;
};

enum outcome { UNCHANGED, CHANGED, CREATED };

/* Writes one record if it is not there already, equal. */
static enum err put_record(
        struct lmdb_change *c, const struct place *place, const struct lmdb_row *row, enum outcome *outcome)
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
        found = mdb_get(c->txn, c->dbs->records, &at, &stored);
        if (found != MDB_SUCCESS && found != MDB_NOTFOUND)
                return lmdb_err(found);
        *outcome = found == MDB_SUCCESS ? CHANGED : CREATED;
        if (found == MDB_SUCCESS) {
                open_present(place->table, &parts, &stored, &old);
                rc = check_same_ids(&old, row, place->msg);
                if (rc != OK)
                        return rc;
        }
        if (old.decoded && slice_equal(old.record.map, row->map)) {
                *outcome = UNCHANGED;
                return OK;
        }
        lmdb_index_rows_of(place->table, &parts, row->map, &fresh);
        rc = store(c, place->table, &key, row); /* from here on `stored` is not to be read */
        return rc == OK ? lmdb_index_replace(c->txn, c->dbs, old.decoded ? &old.rows : NULL, &fresh) : rc;
}

/* Erases the record at the cursor and its index rows. */
static enum err erase_at(struct lmdb_change *c, const struct record_table *table, MDB_cursor *cursor,
        const struct lmdb_key_parts *parts, const MDB_val *stored)
{
        struct present old;
        enum err rc;

        open_present(table, parts, stored, &old);
        rc = lmdb_index_replace(c->txn, c->dbs, old.decoded ? &old.rows : NULL, NULL);
        return rc == OK ? lmdb_err(mdb_cursor_del(cursor, 0)) : rc;
}

/* A student's records of one table. */
struct run {
        struct slice tenant;
        struct slice student;
        const char *name;
        const struct record_table *table; /* NULL: no longer configured, so not indexed */
        const struct lmdb_rows *keep;     /* those with a row in it stay; NULL: none */
};

/* Erases a run's records and counts them. */
static enum err erase_run(struct lmdb_change *c, const struct run *run, uint64_t *erased)
{
        struct lmdb_key prefix;
        struct lmdb_key_parts parts;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val stored;
        enum err err = OK;
        int rc = mdb_cursor_open(c->txn, c->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_key_student(&prefix, run->tenant, run->name, run->student);
        key = lmdb_val(lmdb_key_slice(&prefix));
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
        while (err == OK && rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &prefix)) {
                if (!lmdb_key_split(lmdb_slice(key), 0, &parts)) {
                        err = ERR_CORRUPT;
                } else if (run->keep == NULL || lmdb_rows_find(run->keep, parts.record) == NULL) {
                        err = erase_at(c, run->table, cursor, &parts, &stored);
                        *erased += err == OK;
                }
                if (err == OK)
                        rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
        return err != OK || rc == MDB_SUCCESS || rc == MDB_NOTFOUND ? err : lmdb_err(rc);
}

/* ---- conditions ---- */

static enum err refuse_unknown(struct source_write *w)
{
        w->status = err_set(&w->message, ERR_NOSTUDENT, "%s", err_text(ERR_NOSTUDENT));
        return OK;
}

static enum err refuse_changed(struct source_write *w, struct position version, const char *why)
{
        w->position = version;
        w->status = err_set(&w->message, ERR_CONFLICT, "%s", why);
        return OK;
}

/* True when the student has records of the type's table. */
static enum err has_records(struct lmdb_change *c, const struct source_write *w, bool *out)
{
        struct lmdb_key prefix;
        MDB_cursor *cursor;
        MDB_val key;
        MDB_val stored;
        int rc = mdb_cursor_open(c->txn, c->dbs->records, &cursor);

        if (rc != MDB_SUCCESS)
                return lmdb_err(rc);
        lmdb_key_student(&prefix, w->tenant, w->type->table->name, w->id);
        key = lmdb_val(lmdb_key_slice(&prefix));
        rc = mdb_cursor_get(cursor, &key, &stored, MDB_SET_RANGE);
        *out = rc == MDB_SUCCESS && lmdb_key_has_prefix(lmdb_slice(key), &prefix);
        mdb_cursor_close(cursor);
        return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
}

/* Refuses the write (write->status) when its condition does not hold. */
static enum err check_condition(struct lmdb_change *c, struct source_write *w)
{
        struct position version;
        bool present = false;
        enum err rc = version_of(c, w, &version);

        if (rc != OK || w->condition == IF_FORCE)
                return rc;
        if (w->condition == IF_UNCHANGED)
                return version.n <= w->unchanged_since.n
                               ? OK
                               : refuse_changed(w, version, "it has changed since that stamp; read it again");
        rc = has_records(c, w, &present);
        if (rc != OK || !present)
                return rc;
        return refuse_changed(w, version, "there is something recorded already");
}

/* ---- the writes ---- */

static enum err finish_key(struct lmdb_change *c, const struct source_write *w, bool changed)
{
        return changed ? touch(c, w->tenant, w->type->table->name, w->id) : OK;
}

static enum err put_rows(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        const struct place place = {w->type->table, w->tenant, &w->message};
        const struct run others = {w->tenant, w->id, place.table->name, place.table, rows};
        uint64_t changes = 0;
        enum err rc = erase_run(c, &others, &changes);

        for (size_t i = 0; rc == OK && i < rows->count; i++) {
                enum outcome outcome;

                rc = put_record(c, &place, &rows->row[i], &outcome);
                changes += rc == OK && outcome != UNCHANGED;
                if (rc == OK && outcome == CREATED && place.table == c->schema->students)
                        c->students++;
        }
        return rc == OK ? finish_key(c, w, changes > 0) : rc;
}

static enum err apply_put(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        if (w->type->table != c->schema->students)
                rc = lmdb_read_student(c->txn, c->dbs, c->schema->students, w->tenant, w->id);
        if (rc == ERR_NOTFOUND)
                return refuse_unknown(w);
        if (rc == OK)
                rc = check_condition(c, w);
        if (rc != OK || w->status != OK)
                return rc;
        return put_rows(c, w, rows);
}

static enum err apply_erase(struct lmdb_change *c, struct source_write *w)
{
        const struct run all = {w->tenant, w->id, w->type->table->name, w->type->table, NULL};
        uint64_t erased = 0;
        enum err rc;

        if (w->type->table == c->schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        rc = lmdb_read_student(c->txn, c->dbs, c->schema->students, w->tenant, w->id);
        if (rc == ERR_NOTFOUND)
                return refuse_unknown(w);
        if (rc == OK)
                rc = check_condition(c, w);
        if (rc != OK || w->status != OK)
                return rc;
        rc = erase_run(c, &all, &erased);
        return rc == OK ? finish_key(c, w, erased > 0) : rc;
}

struct erasure {
        struct lmdb_change *change;
        const struct source_write *write;
};

/* Every table that was ever written here is emptied and touched: a reader of any of them must see that the student is
 * gone. */
static enum err erase_table(void *context, const char *name)
{
        const struct erasure *e = context;
        const struct lmdb_schema *schema = e->change->schema;
        const struct run all = {e->write->tenant, e->write->id, name, lmdb_schema_table(schema, slice_str(name)), NULL};
        uint64_t erased = 0;
        enum err rc = erase_run(e->change, &all, &erased);

        return rc == OK ? touch(e->change, e->write->tenant, name, e->write->id) : rc;
}

static enum err apply_erase_student(struct lmdb_change *c, struct source_write *w)
{
        struct erasure erasure = {c, w};
        enum err rc = lmdb_read_student(c->txn, c->dbs, c->schema->students, w->tenant, w->id);

        if (rc == ERR_NOTFOUND)
                return refuse_unknown(w);
        if (rc != OK)
                return rc;
        c->students--;
        return lmdb_meta_tables(c->txn, c->dbs, erase_table, &erasure);
}

/* A commit that changes a number in meta only, so that it has a position of its own. */
static enum err apply_touch(struct lmdb_change *c, const struct source_write *w)
{
        uint64_t touches;
        enum err rc = lmdb_meta_get(c->txn, c->dbs, LMDB_META_TOUCHES, &touches);

        if (rc == OK)
                rc = lmdb_meta_put(c->txn, c->dbs, LMDB_META_TOUCHES, touches + 1);
        c->changed = true;
        for (size_t i = 0; rc == OK && i < w->tag_count; i++)
                rc = add_tag(c, &w->tags[i]);
        return rc;
}

/* The rows of one student, from row `first` on; *next is the first row behind them. */
static enum err import_student(
        struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows, size_t *next)
{
        const struct place place = {w->table, w->tenant, &w->message};
        const struct slice student = rows->row[*next].student;
        const bool is_students = w->table == c->schema->students;
        uint64_t changes = 0;
        enum err rc = is_students ? OK : lmdb_read_student(c->txn, c->dbs, c->schema->students, w->tenant, student);
        bool known = rc == OK;

        if (rc != OK && rc != ERR_NOTFOUND)
                return rc;
        for (; *next < rows->count && slice_equal(rows->row[*next].student, student); (*next)++) {
                enum outcome outcome = UNCHANGED;

                if (!known) {
                        w->unknown_student++;
                        continue;
                }
                rc = put_record(c, &place, &rows->row[*next], &outcome);
                if (rc != OK)
                        return rc;
                changes += outcome != UNCHANGED;
                w->unchanged += outcome == UNCHANGED;
                c->students += is_students && outcome == CREATED;
        }
        w->written += changes;
        return changes > 0 ? touch(c, w->tenant, w->table->name, student) : OK;
}

static enum err apply_import(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        for (size_t next = 0; rc == OK && next < rows->count;)
                rc = import_student(c, w, rows, &next);
        return rc;
}

enum err lmdb_change_apply(struct lmdb_change *change, struct source_write *write, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        write->status = OK;
        write->message.text[0] = '\0';
        write->position = POSITION_NONE;
        write->written = write->unchanged = write->unknown_student = 0;
        switch (write->kind) {
        case WRITE_PUT: rc = apply_put(change, write, rows); break;
        case WRITE_ERASE: rc = apply_erase(change, write); break;
        case WRITE_ERASE_STUDENT: rc = apply_erase_student(change, write); break;
        case WRITE_TOUCH: rc = apply_touch(change, write); break;
        case WRITE_IMPORT: rc = apply_import(change, write, rows); break;
        }
        return rc;
}
