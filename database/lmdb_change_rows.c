/* IMPORT and ERASE_ROWS: records of a table, of any students. The rows come in the order of their keys, so each
 * student's stand together: one look-up of the student, one head, one touched tag for all of them. */
#include "database/lmdb_change.h"

#include "base/priority.h"

#include <stdlib.h>

static enum err reject_row(struct source_write *w, const struct lmdb_row *row, struct reject reject)
{
        const struct source_reject rejected = {row->at, reject};

        w->rejected++;
        return w->rejects == NULL ? OK : buf_append(w->rejects, &rejected, sizeof(rejected));
}

/* The rows of one student: `count` from `row` on. */
struct group {
        struct slice student;
        const struct lmdb_row *row;
        size_t count;
};

static struct group group_at(const struct lmdb_rows *rows, size_t first)
{
        struct group g = {rows->row[first].student, &rows->row[first], 1};

        while (first + g.count < rows->count && slice_equal(rows->row[first + g.count].student, g.student))
                g.count++;
        return g;
}

static enum err reject_group(struct source_write *w, const struct group *g)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < g->count; i++)
                rc = reject_row(w, &g->row[i], reject_of(REJECT_STUDENT, "student"));
        return rc;
}

/* `student`: whose records the group's are. */
static enum err change_group(
        struct lmdb_change *c, struct source_write *w, const struct group *g, const struct lmdb_merge_id *student)
{
        struct lmdb_run_place place = {.tenant = w->tenant, .name = w->table->name, .table = w->table};
        struct lmdb_run run;
        uint64_t changes = 0;
        enum err rc;

        place.student = lmdb_merge_slice(student);
        if (w->table == c->store.schema->students && !slice_equal(place.student, g->student)) {
                place.student = g->student; /* who is merged keeps a record of its own, which nobody is shown */
                place.uncounted = true;
        }
        rc = lmdb_run_open(&run, &c->store, &place, &w->message);
        for (size_t i = 0; rc == OK && i < g->count; i++) {
                bool changed = false;

                priority_pause();
                rc = w->kind == WRITE_IMPORT ? lmdb_run_put(&run, &g->row[i], &changed)
                                             : lmdb_run_erase_row(&run, &g->row[i], &changed);
                changes += changed;
        }
        w->written += changes;
        w->unchanged += g->count - changes;
        if (rc == OK)
                rc = lmdb_run_close(&run);
        return rc == OK && run.changes > 0 ? lmdb_change_touch(c, w, w->table->name, place.student) : rc;
}

static enum err apply_group(struct lmdb_change *c, struct source_write *w, const struct group *g)
{
        struct lmdb_merge_id student;
        bool known = true;
        enum err rc = lmdb_change_root(c, w->tenant, g->student, &student);

        if (rc == OK && w->kind == WRITE_IMPORT && w->table != c->store.schema->students)
                rc = lmdb_store_knows(&c->store, w->tenant, lmdb_merge_slice(&student), &known);
        if (rc != OK)
                return rc;
        return known ? change_group(c, w, g, &student) : reject_group(w, g);
}

static enum err merge_group(struct lmdb_change *c, struct source_write *w, const struct group *g)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < g->count; i++) {
                struct lmdb_verdict verdict;

                rc = lmdb_change_merge(c, w, &g->row[i], &verdict);
                if (rc == OK && verdict.rejected)
                        rc = reject_row(w, &g->row[i], verdict.reject);
                w->written += verdict.changed;
                w->unchanged += !verdict.changed && !verdict.rejected;
        }
        return rc;
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

/* Refuses to erase rows that are more than records (write->status). */
static void check_erasable(const struct lmdb_change *c, struct source_write *w)
{
        const struct lmdb_schema *schema = c->store.schema;

        if (w->kind != WRITE_ERASE_ROWS)
                return;
        if (w->table == schema->students)
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
        else if (w->table == schema->merges)
                w->status = err_set(&w->message, ERR_USE, "who has been merged cannot be parted again");
}

enum err lmdb_change_rows(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        bool merges = w->table == c->store.schema->merges;
        enum err rc = begin_rejects(w, rows);

        check_erasable(c, w);
        if (w->status != OK)
                return rc;
        w->unchanged = rows->twins;
        c->store.dry_run = w->dry_run;
        for (size_t next = 0; rc == OK && next < rows->count;) {
                const struct group g = group_at(rows, next);

                rc = merges ? merge_group(c, w, &g) : apply_group(c, w, &g);
                next += g.count;
        }
        c->store.dry_run = false;
        if (rc == OK && w->rejects != NULL && w->rejected > 1)
                qsort(w->rejects->data + w->rejects->start, w->rejected, sizeof(struct source_reject), compare_rejects);
        return rc;
}
