#include "database/lmdb_change.h"

#include "base/mem.h"
#include "database/lmdb_index.h"
#include "database/lmdb_key.h"
#include "database/lmdb_read.h"
#include "database/lmdb_record.h"

#include <stdlib.h>

void lmdb_change_begin(struct lmdb_change *change, MDB_txn *txn)
{
        change->store.txn = txn;
        change->store.position = lmdb_position(change->store.dbs, mdb_txn_id(txn));
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
        rc = lmdb_meta_get(change->store.txn, change->store.dbs, LMDB_META_STUDENTS, &students);
        if (rc != OK)
                return rc;
        return lmdb_meta_put(
                change->store.txn, change->store.dbs, LMDB_META_STUDENTS, students + (uint64_t)change->students);
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
        lmdb_put_u64(position, c->store.position.n);
        lmdb_key_student(&key, tenant, table, student);
        at = lmdb_val(lmdb_key_slice(&key));
        return lmdb_err(mdb_put(c->store.txn, c->store.dbs->versions, &at, &value, 0));
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
        rc = mdb_get(c->store.txn, c->store.dbs->versions, &at, &value);
        if (rc != MDB_SUCCESS)
                return rc == MDB_NOTFOUND ? OK : lmdb_err(rc);
        return lmdb_get_u64(lmdb_slice(value), &out->n) ? OK : ERR_CORRUPT;
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

/* Refuses the write (write->status) when its condition does not hold. */
static enum err check_condition(struct lmdb_change *c, struct source_write *w)
{
        const struct lmdb_run run = {w->tenant, w->id, w->type->table->name, w->type->table, NULL, &w->type->where};
        struct position version;
        bool present = false;
        enum err rc = version_of(c, w, &version);

        if (rc != OK || w->condition == IF_FORCE)
                return rc;
        if (w->condition == IF_UNCHANGED)
                return version.n <= w->unchanged_since.n
                               ? OK
                               : refuse_changed(w, version, "it has changed since that stamp; read it again");
        rc = lmdb_store_any(&c->store, &run, &present);
        if (rc != OK || !present)
                return rc;
        return refuse_changed(w, version, "there is something recorded already");
}

/* ---- the writes ---- */

/* Touches what a write changed, and says so in the write. */
static enum err touch_for(
        struct lmdb_change *c, struct source_write *w, const struct record_table *table, struct slice student)
{
        enum err rc = w->touched == NULL ? OK : source_touched_add(w->touched, student);

        return rc == OK ? touch(c, w->tenant, table->name, student) : rc;
}

static enum err finish_key(struct lmdb_change *c, struct source_write *w, bool changed)
{
        return changed ? touch_for(c, w, w->type->table, w->id) : OK;
}

/* A type that shows some of its table's records only must not replace one that its writer cannot see. */
static enum err refuse_hidden(struct lmdb_change *c, struct source_write *w)
{
        struct position version;
        enum err rc = version_of(c, w, &version);

        return rc != OK ? rc
                        : refuse_changed(w, version, "a record of that id is there, which this type does not show");
}

static enum err put_rows(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        const struct lmdb_place place = {w->type->table, w->tenant, &w->message};
        const struct lmdb_run others = {w->tenant, w->id, place.table->name, place.table, rows, &w->type->where};
        uint64_t changes = 0;
        bool hidden = false;
        enum err rc = lmdb_store_hides(&c->store, &others, &hidden);

        if (rc == OK && hidden)
                return refuse_hidden(c, w);
        if (rc == OK)
                rc = lmdb_store_erase(&c->store, &others, &changes);
        for (size_t i = 0; rc == OK && i < rows->count; i++) {
                enum lmdb_outcome outcome;

                rc = lmdb_store_put(&c->store, &place, &rows->row[i], &outcome);
                changes += rc == OK && outcome != LMDB_UNCHANGED;
                if (rc == OK && outcome == LMDB_CREATED && place.table == c->schema->students)
                        c->students++;
        }
        return rc == OK ? finish_key(c, w, changes > 0) : rc;
}

static enum err apply_put(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        if (w->type->table != c->schema->students)
                rc = lmdb_read_student(c->store.txn, c->store.dbs, c->schema->students, w->tenant, w->id);
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
        const struct lmdb_run all = {w->tenant, w->id, w->type->table->name, w->type->table, NULL, &w->type->where};
        uint64_t erased = 0;
        enum err rc;

        if (w->type->table == c->schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        rc = lmdb_read_student(c->store.txn, c->store.dbs, c->schema->students, w->tenant, w->id);
        if (rc == ERR_NOTFOUND)
                return refuse_unknown(w);
        if (rc == OK)
                rc = check_condition(c, w);
        if (rc != OK || w->status != OK)
                return rc;
        rc = lmdb_store_erase(&c->store, &all, &erased);
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
        const struct lmdb_run all = {
                e->write->tenant, e->write->id, name, lmdb_schema_table(schema, slice_str(name)), NULL, NULL};
        uint64_t erased = 0;
        enum err rc = lmdb_store_erase(&e->change->store, &all, &erased);

        return rc == OK ? touch(e->change, e->write->tenant, name, e->write->id) : rc;
}

static enum err apply_erase_student(struct lmdb_change *c, struct source_write *w)
{
        struct erasure erasure = {c, w};
        enum err rc = lmdb_read_student(c->store.txn, c->store.dbs, c->schema->students, w->tenant, w->id);

        if (rc == ERR_NOTFOUND)
                return refuse_unknown(w);
        if (rc != OK)
                return rc;
        c->students--;
        return lmdb_meta_tables(c->store.txn, c->store.dbs, erase_table, &erasure);
}

/* A commit that changes a number in meta only, so that it has a position of its own. */
static enum err apply_touch(struct lmdb_change *c, const struct source_write *w)
{
        uint64_t touches;
        enum err rc = lmdb_meta_get(c->store.txn, c->store.dbs, LMDB_META_TOUCHES, &touches);

        if (rc == OK)
                rc = lmdb_meta_put(c->store.txn, c->store.dbs, LMDB_META_TOUCHES, touches + 1);
        c->changed = true;
        for (size_t i = 0; rc == OK && i < w->tag_count; i++)
                rc = add_tag(c, &w->tags[i]);
        return rc;
}

/* ---- many rows ---- */

static enum err reject_unknown(struct source_write *w, const struct lmdb_row *row)
{
        const struct source_reject unknown = {row->at, reject_of(REJECT_STUDENT, "student")};

        w->rejected++;
        return w->rejects == NULL ? OK : buf_append(w->rejects, &unknown, sizeof(unknown));
}

/* What an IMPORT or ERASE_ROWS does to one row. */
static enum err import_row(struct lmdb_change *c, struct source_write *w, const struct lmdb_row *row, bool *changed)
{
        const struct lmdb_place place = {w->table, w->tenant, &w->message};
        enum lmdb_outcome outcome;
        enum err rc = lmdb_store_put(&c->store, &place, row, &outcome);

        *changed = rc == OK && outcome != LMDB_UNCHANGED;
        c->students += rc == OK && w->table == c->schema->students && outcome == LMDB_CREATED;
        return rc;
}

static enum err change_row(struct lmdb_change *c, struct source_write *w, const struct lmdb_row *row, bool *changed)
{
        const struct lmdb_place place = {w->table, w->tenant, &w->message};

        if (w->kind == WRITE_IMPORT)
                return import_row(c, w, row, changed);
        return lmdb_store_erase_row(&c->store, &place, row, changed);
}

/* The rows of one student, from *next on, which then is the first row behind them. */
static enum err change_student(
        struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows, size_t *next)
{
        const struct slice student = rows->row[*next].student;
        bool must_exist = w->kind == WRITE_IMPORT && w->table != c->schema->students;
        uint64_t changes = 0;
        enum err rc = OK;
        bool known;

        if (must_exist)
                rc = lmdb_read_student(c->store.txn, c->store.dbs, c->schema->students, w->tenant, student);
        if (rc != OK && rc != ERR_NOTFOUND)
                return rc;
        known = rc == OK;
        for (rc = OK; rc == OK && *next < rows->count && slice_equal(rows->row[*next].student, student); (*next)++) {
                bool changed = false;

                if (!known) {
                        rc = reject_unknown(w, &rows->row[*next]);
                        continue;
                }
                rc = change_row(c, w, &rows->row[*next], &changed);
                changes += changed;
                w->unchanged += !changed;
        }
        w->written += changes;
        return rc == OK && changes > 0 && !w->dry_run ? touch_for(c, w, w->table, student) : rc;
}

static int compare_rejects(const void *left, const void *right)
{
        const struct source_reject *a = left;
        const struct source_reject *b = right;

        return (a->row > b->row) - (a->row < b->row);
}

static enum err begin_rejects(struct source_write *w, const struct lmdb_rows *rows)
{
        w->rejected = buf_len(&rows->rejects) / sizeof(struct source_reject);
        if (w->rejects == NULL)
                return OK;
        buf_truncate(w->rejects, 0);
        return buf_append_slice(w->rejects, buf_slice(&rows->rejects));
}

static enum err apply_rows(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        enum err rc = begin_rejects(w, rows);

        if (w->kind == WRITE_ERASE_ROWS && w->table == c->schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        w->unchanged = rows->twins;
        c->store.dry_run = w->dry_run;
        for (size_t next = 0; rc == OK && next < rows->count;)
                rc = change_student(c, w, rows, &next);
        c->store.dry_run = false;
        if (rc == OK && w->rejects != NULL && w->rejected > 1)
                qsort(w->rejects->data + w->rejects->start, w->rejected, sizeof(struct source_reject), compare_rejects);
        return rc;
}

enum err lmdb_change_apply(struct lmdb_change *change, struct source_write *write, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        write->status = OK;
        write->message.text[0] = '\0';
        write->position = POSITION_NONE;
        write->written = write->unchanged = write->rejected = 0;
        if (write->touched != NULL)
                buf_truncate(write->touched, 0);
        switch (write->kind) {
        case WRITE_PUT: rc = apply_put(change, write, rows); break;
        case WRITE_ERASE: rc = apply_erase(change, write); break;
        case WRITE_ERASE_STUDENT: rc = apply_erase_student(change, write); break;
        case WRITE_TOUCH: rc = apply_touch(change, write); break;
        case WRITE_IMPORT:
        case WRITE_ERASE_ROWS: rc = apply_rows(change, write, rows); break;
        }
        return rc;
}
