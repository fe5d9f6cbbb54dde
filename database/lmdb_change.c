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
        buf_deinit(&change->merged);
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

/* The ids that were merged into the student, in c->merged. */
static enum err list_merged(struct lmdb_change *c, struct slice tenant, struct slice student)
{
        buf_truncate(&c->merged, 0);
        if (!c->store.has_merges || student.len == 0)
                return OK;
        return lmdb_merge_list(c->store.txn, c->store.dbs, tenant, student, &c->merged);
}

/* The tag, and the same of all ids that were merged into its student. */
static enum err add_tags(struct lmdb_change *c, const struct tag *tag)
{
        struct tag also = *tag;
        struct slice left;
        enum err rc = add_tag(c, tag);

        if (rc == OK)
                rc = list_merged(c, tag->tenant, tag->id);
        left = buf_slice(&c->merged);
        while (rc == OK && source_touched_next(&left, &also.id))
                rc = add_tag(c, &also);
        return rc;
}

enum err lmdb_change_tag(struct lmdb_change *c, struct slice tenant, const char *table, struct slice student)
{
        const struct tag tag = {.kind = TAG_STUDENT_TABLE, .tenant = tenant, .id = student, .table = slice_str(table)};

        return add_tags(c, &tag);
}

enum err lmdb_change_touch(struct lmdb_change *c, struct source_write *write, const char *table, struct slice student)
{
        enum err rc = lmdb_change_tag(c, write->tenant, table, student);

        if (rc == OK && write->touched != NULL)
                rc = source_touched_add(write->touched, student);
        return rc == OK && write->touched != NULL ? buf_append_slice(write->touched, buf_slice(&c->merged)) : rc;
}

enum err lmdb_change_root(struct lmdb_change *c, struct slice tenant, struct slice student, struct lmdb_merge_id *root)
{
        if (c->store.has_merges)
                return lmdb_merge_root(c->store.txn, c->store.dbs, tenant, student, root);
        VC_ASSERT(student.len <= sizeof(root->bytes));
        memcpy(root->bytes, student.data, student.len);
        root->len = student.len;
        return OK;
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

/* What a PUT or ERASE is about. */
struct target {
        struct lmdb_merge_id student; /* whose records its id stands for */
        struct lmdb_run run;
};

static enum err refuse_merged(struct source_write *w)
{
        w->status = err_set(&w->message, ERR_USE,
                "the student has been merged into another one: name that one, whose id GET student shows");
        return OK;
}

static bool is_merged(const struct source_write *w, const struct lmdb_merge_id *root)
{
        return !slice_equal(w->id, lmdb_merge_slice(root));
}

/* Opens the run of a PUT or ERASE, unless the write is refused (write->status). */
static enum err open_target(struct lmdb_change *c, struct source_write *w, struct target *t)
{
        const struct record_table *table = w->type->table;
        struct lmdb_run_place place = {.tenant = w->tenant, .name = table->name, .table = table};
        bool known = true;
        enum err rc = lmdb_change_root(c, w->tenant, w->id, &t->student);

        place.student = lmdb_merge_slice(&t->student);
        place.where = &w->type->where;
        if (rc == OK && table == c->store.schema->students && is_merged(w, &t->student))
                return refuse_merged(w);
        if (rc == OK && table != c->store.schema->students)
                rc = lmdb_store_knows(&c->store, w->tenant, place.student, &known);
        if (rc == OK && !known)
                return refuse_unknown(w);
        if (rc == OK)
                rc = lmdb_run_open(&t->run, &c->store, &place, &w->message);
        return rc == OK ? check_condition(&t->run, w) : rc;
}

static enum err close_target(struct lmdb_change *c, struct source_write *w, struct target *t)
{
        enum err rc = lmdb_run_close(&t->run);

        return rc == OK && t->run.changes > 0 ? lmdb_change_touch(c, w, t->run.place.name, t->run.place.student) : rc;
}

/* Merges cannot be undone, and rows of them are written by IMPORT alone, which carries them out. */
static enum err refuse_merges(struct source_write *w)
{
        w->status = err_set(&w->message, ERR_USE, "who is merged into whom is written by IMPORT, and stays so");
        return OK;
}

static enum err apply_put(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        struct target t;
        bool hidden = false;
        enum err rc;

        if (w->type->table == c->store.schema->merges)
                return refuse_merges(w);
        rc = open_target(c, w, &t);
        if (rc == OK && w->status == OK)
                rc = lmdb_run_hides(&t.run, rows, &hidden);
        if (rc == OK && hidden)
                rc = refuse_hidden(&t.run, w);
        if (rc != OK || w->status != OK)
                return rc;
        rc = lmdb_run_erase(&t.run, rows);
        for (size_t i = 0; rc == OK && i < rows->count; i++) {
                bool changed;

                rc = lmdb_run_put(&t.run, &rows->row[i], &changed);
        }
        return rc == OK ? close_target(c, w, &t) : rc;
}

static enum err apply_erase(struct lmdb_change *c, struct source_write *w)
{
        struct target t;
        enum err rc;

        if (w->type->table == c->store.schema->merges)
                return refuse_merges(w);
        if (w->type->table == c->store.schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        rc = open_target(c, w, &t);
        if (rc != OK || w->status != OK)
                return rc;
        rc = lmdb_run_erase(&t.run, NULL);
        return rc == OK ? close_target(c, w, &t) : rc;
}

/* ---- erasing a student ---- */

struct erasure {
        struct lmdb_change *change;
        struct source_write *write;
        struct slice student; /* the write's, and after it each one that was merged into it */
};

/* Every table that was ever written here loses the student without a trace, and is touched: a reader of any of them
 * must see that the student is gone. */
static enum err erase_table(void *context, const char *name)
{
        const struct erasure *e = context;
        struct lmdb_change *c = e->change;
        const struct lmdb_run_place place = {
                .tenant = e->write->tenant,
                .student = e->student,
                .name = name,
                .table = lmdb_schema_table(c->store.schema, slice_str(name)),
                .uncounted = !slice_equal(e->student, e->write->id),
        };
        const struct tag tag = {
                .kind = TAG_STUDENT_TABLE, .tenant = e->write->tenant, .id = e->student, .table = slice_str(name)};
        struct lmdb_run run;
        enum err rc = lmdb_run_open(&run, &c->store, &place, &e->write->message);

        if (rc == OK)
                rc = lmdb_run_remove(&run);
        return rc == OK ? add_tag(c, &tag) : rc;
}

static enum err erase_one(struct erasure *e)
{
        struct lmdb_store *store = &e->change->store;
        enum err rc = lmdb_meta_tables(store->txn, store->dbs, erase_table, e);

        return rc == OK && store->has_merges ? lmdb_merge_forget(store->txn, store->dbs, e->write->tenant, e->student)
                                             : rc;
}

/* The student, and all that were merged into it: they go with it, and write->touched names them. */
static enum err erase_all(struct lmdb_change *c, struct source_write *w)
{
        struct erasure e = {c, w, w->id};
        struct slice left;
        enum err rc = list_merged(c, w->tenant, w->id);

        if (rc == OK && w->touched != NULL)
                rc = buf_append_slice(w->touched, buf_slice(&c->merged));
        if (rc == OK)
                rc = erase_one(&e);
        left = buf_slice(&c->merged);
        while (rc == OK && source_touched_next(&left, &e.student))
                rc = erase_one(&e);
        return rc == OK ? lmdb_meta_put(c->store.txn, c->store.dbs, LMDB_META_ERASURE, c->store.position.n) : rc;
}

static enum err apply_erase_student(struct lmdb_change *c, struct source_write *w)
{
        struct lmdb_merge_id root;
        bool known = false;
        enum err rc = lmdb_change_root(c, w->tenant, w->id, &root);

        if (rc == OK && is_merged(w, &root))
                return refuse_merged(w);
        if (rc == OK)
                rc = lmdb_store_knows(&c->store, w->tenant, w->id, &known);
        if (rc != OK || !known)
                return rc == OK ? refuse_unknown(w) : rc;
        return erase_all(c, w);
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
                rc = add_tags(c, &w->tags[i]);
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
