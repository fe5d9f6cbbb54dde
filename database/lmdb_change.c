#include "database/lmdb_change.h"

#include "base/mem.h"

enum err lmdb_change_begin(struct lmdb_change *change, MDB_txn *txn)
{
        change->changed = false;
        change->tag_count = 0;
        return lmdb_store_begin(&change->store, txn);
}

enum err lmdb_change_finish(struct lmdb_change *change)
{
        return lmdb_store_finish(&change->store);
}

void lmdb_change_end(struct lmdb_change *change)
{
        lmdb_store_end(&change->store);
}

void lmdb_change_deinit(struct lmdb_change *change)
{
        vc_free(change->tags);
        change->tags = NULL;
        change->tag_capacity = 0;
}

/* ---- tags ---- */

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

enum err lmdb_change_touch(struct lmdb_change *c, struct source_write *write, const char *table, struct slice student)
{
        const struct tag tag = {TAG_STUDENT_TABLE, write->tenant, student, slice_str(table)};
        enum err rc = write->touched == NULL ? OK : source_touched_add(write->touched, student);

        return rc == OK ? add_tag(c, &tag) : rc;
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

/* The newest commit that may have touched the run's records. Without a head they were never written, or an erasure took
 * all trace of them: then whoever built on an older state than the newest erasure must read again. */
static enum err version_of(const struct lmdb_run *run, struct position *out)
{
        *out = run->head.position;
        if (run->found)
                return OK;
        return lmdb_meta_get(run->store->txn, run->store->dbs, LMDB_META_ERASURE, &out->n);
}

/* Refuses the write (write->status) when its condition does not hold. */
static enum err check_condition(const struct lmdb_run *run, struct source_write *w)
{
        struct position version;
        bool present = false;
        enum err rc = version_of(run, &version);

        if (rc != OK || w->condition == IF_FORCE)
                return rc;
        if (w->condition == IF_UNCHANGED)
                return version.n <= w->unchanged_since.n
                               ? OK
                               : refuse_changed(w, version, "it has changed since that stamp; read it again");
        rc = lmdb_run_any(run, &present);
        if (rc != OK || !present)
                return rc;
        return refuse_changed(w, version, "there is something recorded already");
}

/* A type that shows some of its table's records only must not replace one that its writer cannot see. */
static enum err refuse_hidden(const struct lmdb_run *run, struct source_write *w)
{
        return refuse_changed(w, run->head.position, "a record of that id is there, which this type does not show");
}

/* ---- the writes ---- */

/* Opens the run of a PUT or ERASE, unless the write is refused (write->status). */
static enum err open_run(struct lmdb_change *c, struct source_write *w, struct lmdb_run *run)
{
        const struct record_table *table = w->type->table;
        const struct lmdb_run_place place = {w->tenant, w->id, table->name, table, &w->type->where};
        bool known = true;
        enum err rc = OK;

        if (table != c->store.schema->students)
                rc = lmdb_store_knows(&c->store, w->tenant, w->id, &known);
        if (rc == OK && !known)
                return refuse_unknown(w);
        if (rc == OK)
                rc = lmdb_run_open(run, &c->store, &place, &w->message);
        return rc == OK ? check_condition(run, w) : rc;
}

static enum err close_run(struct lmdb_change *c, struct source_write *w, struct lmdb_run *run)
{
        enum err rc = lmdb_run_close(run);

        return rc == OK && run->changes > 0 ? lmdb_change_touch(c, w, run->place.name, w->id) : rc;
}

static enum err apply_put(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        struct lmdb_run run;
        bool hidden = false;
        enum err rc = open_run(c, w, &run);

        if (rc == OK && w->status == OK)
                rc = lmdb_run_hides(&run, rows, &hidden);
        if (rc == OK && hidden)
                rc = refuse_hidden(&run, w);
        if (rc != OK || w->status != OK)
                return rc;
        rc = lmdb_run_erase(&run, rows);
        for (size_t i = 0; rc == OK && i < rows->count; i++) {
                bool changed;

                rc = lmdb_run_put(&run, &rows->row[i], &changed);
        }
        return rc == OK ? close_run(c, w, &run) : rc;
}

static enum err apply_erase(struct lmdb_change *c, struct source_write *w)
{
        struct lmdb_run run;
        enum err rc;

        if (w->type->table == c->store.schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        rc = open_run(c, w, &run);
        if (rc != OK || w->status != OK)
                return rc;
        rc = lmdb_run_erase(&run, NULL);
        return rc == OK ? close_run(c, w, &run) : rc;
}

struct erasure {
        struct lmdb_change *change;
        struct source_write *write;
};

/* Every table that was ever written here loses the student without a trace, and is touched: a reader of any of them
 * must see that the student is gone. */
static enum err erase_table(void *context, const char *name)
{
        const struct erasure *e = context;
        struct lmdb_change *c = e->change;
        const struct lmdb_run_place place = {
                e->write->tenant, e->write->id, name, lmdb_schema_table(c->store.schema, slice_str(name)), NULL};
        const struct tag tag = {TAG_STUDENT_TABLE, e->write->tenant, e->write->id, slice_str(name)};
        struct lmdb_run run;
        enum err rc = lmdb_run_open(&run, &c->store, &place, &e->write->message);

        if (rc == OK)
                rc = lmdb_run_remove(&run);
        return rc == OK ? add_tag(c, &tag) : rc;
}

static enum err apply_erase_student(struct lmdb_change *c, struct source_write *w)
{
        struct erasure erasure = {c, w};
        bool known;
        enum err rc = lmdb_store_knows(&c->store, w->tenant, w->id, &known);

        if (rc == OK && !known)
                return refuse_unknown(w);
        if (rc == OK)
                rc = lmdb_meta_tables(c->store.txn, c->store.dbs, erase_table, &erasure);
        return rc == OK ? lmdb_meta_put(c->store.txn, c->store.dbs, LMDB_META_ERASURE, c->store.position.n) : rc;
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
        case WRITE_ERASE_ROWS: rc = lmdb_change_rows(change, write, rows); break;
        }
        return rc;
}
