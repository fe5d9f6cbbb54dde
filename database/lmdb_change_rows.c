/* IMPORT and ERASE_ROWS: records of a table, of any students. The rows come in the order of their keys, so each
 * student's stand together: one look-up of the student, one head, one touched tag for all of them. */
#include "database/lmdb_change.h"

#include <stdlib.h>

static enum err reject_unknown(struct source_write *w, const struct lmdb_row *row)
{
        const struct source_reject unknown = {row->at, reject_of(REJECT_STUDENT, "student")};

        w->rejected++;
        return w->rejects == NULL ? OK : buf_append(w->rejects, &unknown, sizeof(unknown));
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
                rc = reject_unknown(w, &g->row[i]);
        return rc;
}

static enum err change_group(struct lmdb_change *c, struct source_write *w, const struct group *g)
{
        const struct lmdb_run_place place = {w->tenant, g->student, w->table->name, w->table, NULL};
        struct lmdb_run run;
        uint64_t changes = 0;
        enum err rc = lmdb_run_open(&run, &c->store, &place, &w->message);

        for (size_t i = 0; rc == OK && i < g->count; i++) {
                bool changed = false;

                rc = w->kind == WRITE_IMPORT ? lmdb_run_put(&run, &g->row[i], &changed)
                                             : lmdb_run_erase_row(&run, &g->row[i], &changed);
                changes += changed;
        }
        w->written += changes;
        w->unchanged += g->count - changes;
        if (rc == OK)
                rc = lmdb_run_close(&run);
        return rc == OK && run.changes > 0 ? lmdb_change_touch(c, w, w->table->name, g->student) : rc;
}

static enum err apply_group(struct lmdb_change *c, struct source_write *w, const struct group *g)
{
        bool known = true;
        enum err rc = OK;

        if (w->kind == WRITE_IMPORT && w->table != c->store.schema->students)
                rc = lmdb_store_knows(&c->store, w->tenant, g->student, &known);
        if (rc != OK)
                return rc;
        return known ? change_group(c, w, g) : reject_group(w, g);
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

enum err lmdb_change_rows(struct lmdb_change *c, struct source_write *w, const struct lmdb_rows *rows)
{
        enum err rc = begin_rejects(w, rows);

        if (w->kind == WRITE_ERASE_ROWS && w->table == c->store.schema->students) {
                w->status = err_set(&w->message, ERR_USE, "a student is more than one record; erase the student");
                return OK;
        }
        w->unchanged = rows->twins;
        c->store.dry_run = w->dry_run;
        for (size_t next = 0; rc == OK && next < rows->count;) {
                const struct group g = group_at(rows, next);

                rc = apply_group(c, w, &g);
                next += g.count;
        }
        c->store.dry_run = false;
        if (rc == OK && w->rejects != NULL && w->rejected > 1)
                qsort(w->rejects->data + w->rejects->start, w->rejected, sizeof(struct source_reject), compare_rejects);
        return rc;
}
