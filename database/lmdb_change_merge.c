/* IMPORT into the table merges: a row of student A with `into: B` says that A and B are one person.
 *
 * From the commit on, A's id stands for B's records: A's are moved to B, and so is all that had been merged into A
 * (chains are resolved here, once, so that no read ever follows one). A's own record of the students' table stays where
 * it is, neither served nor counted. It cannot be undone: whose a moved record was is not known any more. So everything
 * is looked at before anything is changed:
 *   - B is merged into A already, or is A: a circle, rejected;
 *   - B is not recorded: unknown;
 *   - A is somebody else already: rejected, as the later of two rows of one id that differ;
 *   - a record of A and one of B have one id and differ: rejected, for one of them would be lost.
 *
 * Every table's tags of A, B and all that is merged into them are touched, and every head that A or B had gets this
 * commit's position: who read A's list before must not write B's on the strength of it. */
#include "database/lmdb_change.h"

#include "database/lmdb_merge.h"
#include "database/value.h"

struct merge {
        struct lmdb_change *change;
        struct source_write *write;
        struct lmdb_merge_id from; /* A */
        struct lmdb_merge_id into; /* whom B stands for */
        bool clashes;              /* a record of A would take the place of another one */
};

static struct lmdb_run_place place_of(const struct merge *m, const char *table, const struct lmdb_merge_id *student)
{
        const struct lmdb_schema *schema = m->change->store.schema;

        return (struct lmdb_run_place){
                .tenant = m->write->tenant,
                .student = lmdb_merge_slice(student),
                .name = table,
                .table = lmdb_schema_table(schema, slice_str(table)),
        };
}

/* The students' own records and the rows of merges say who is who, and stay. */
static bool stays(const struct merge *m, const char *table)
{
        const struct lmdb_schema *schema = m->change->store.schema;

        return strcmp(table, schema->students->name) == 0 || strcmp(table, schema->merges->name) == 0;
}

static enum err find_clash(void *context, const char *table)
{
        struct merge *m = context;
        const struct lmdb_run_place from = place_of(m, table, &m->from);
        const struct lmdb_run_place into = place_of(m, table, &m->into);
        struct lmdb_run run;
        struct lmdb_rows rows;
        enum err rc;

        if (stays(m, table) || m->clashes)
                return OK;
        rc = lmdb_run_rows(&m->change->store, &from, &rows);
        if (rc == OK)
                rc = lmdb_run_open(&run, &m->change->store, &into, &m->write->message);
        if (rc == OK)
                rc = lmdb_run_clashes(&run, &rows, &m->clashes);
        lmdb_rows_deinit(&rows);
        return rc;
}

static enum err put_all(struct lmdb_run *run, const struct lmdb_rows *rows)
{
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < rows->count; i++) {
                bool changed;

                rc = lmdb_run_put(run, &rows->row[i], &changed);
        }
        return rc;
}

static enum err move_records(struct merge *m, const char *table)
{
        const struct lmdb_run_place from = place_of(m, table, &m->from);
        const struct lmdb_run_place into = place_of(m, table, &m->into);
        struct lmdb_store *store = &m->change->store;
        struct lmdb_run source;
        struct lmdb_run target;
        struct lmdb_rows rows;
        enum err rc = lmdb_run_rows(store, &from, &rows);

        if (rc == OK)
                rc = lmdb_run_open(&source, store, &from, &m->write->message);
        if (rc == OK)
                rc = lmdb_run_remove(&source);
        if (rc == OK)
                rc = lmdb_run_open(&target, store, &into, &m->write->message);
        if (rc == OK)
                rc = put_all(&target, &rows);
        if (rc == OK) {
                target.renewed = source.found || target.found;
                rc = lmdb_run_close(&target);
        }
        lmdb_rows_deinit(&rows);
        return rc;
}

static enum err move_table(void *context, const char *table)
{
        struct merge *m = context;
        enum err rc = stays(m, table) ? OK : move_records(m, table);

        return rc == OK ? lmdb_change_tag(m->change, m->write->tenant, table, lmdb_merge_slice(&m->into)) : rc;
}

/* A and all that was merged into it are B now. */
static enum err note_all(struct merge *m)
{
        const struct lmdb_store *store = &m->change->store;
        const struct slice into = lmdb_merge_slice(&m->into);
        struct buf others;
        struct slice left;
        struct slice other;
        enum err rc;

        buf_init(&others, 0);
        rc = lmdb_merge_list(store->txn, store->dbs, m->write->tenant, lmdb_merge_slice(&m->from), &others);
        left = buf_slice(&others);
        while (rc == OK && source_touched_next(&left, &other))
                rc = lmdb_merge_note(store->txn, store->dbs, m->write->tenant, other, into);
        if (rc == OK)
                rc = lmdb_merge_note(store->txn, store->dbs, m->write->tenant, lmdb_merge_slice(&m->from), into);
        buf_deinit(&others);
        return rc;
}

static enum err carry_out(struct merge *m, bool counted)
{
        struct lmdb_store *store = &m->change->store;
        enum err rc = note_all(m);

        store->has_merges = true; /* so that the tags of all of them are touched */
        if (rc == OK)
                rc = lmdb_meta_tables(store->txn, store->dbs, move_table, m);
        store->students_added -= counted ? 1 : 0;
        return rc;
}

/* All ids of the person are touched, and the write says so. */
static enum err say_touched(struct merge *m)
{
        return lmdb_change_touch(
                m->change, m->write, m->change->store.schema->merges->name, lmdb_merge_slice(&m->into));
}

/* ---- what a row says ---- */

static void refuse(struct lmdb_verdict *verdict, enum reject_reason reason, const char *field)
{
        verdict->rejected = true;
        verdict->reject = reject_of(reason, field);
}

/* Whom the row's `into` stands for. */
static enum err resolve(struct merge *m, const struct lmdb_row *row, struct lmdb_verdict *verdict)
{
        const struct lmdb_store *store = &m->change->store;
        struct slice into;
        enum err rc = OK;

        if (!value_member_text(row->map, "into", &into) || into.len == 0 || into.len > RECORD_ID_MAX) {
                refuse(verdict, REJECT_VALUE, "into");
                return OK;
        }
        rc = lmdb_merge_root(store->txn, store->dbs, m->write->tenant, into, &m->into);
        if (rc == OK && (slice_equal(into, row->student) || slice_equal(lmdb_merge_slice(&m->into), row->student)))
                refuse(verdict, REJECT_MERGE, "into");
        return rc;
}

/* Refuses a merge that cannot be, of a student who is not merged yet. */
static enum err judge(struct merge *m, struct lmdb_verdict *verdict)
{
        const struct lmdb_store *store = &m->change->store;
        bool known;
        enum err rc = lmdb_store_knows(store, m->write->tenant, lmdb_merge_slice(&m->into), &known);

        if (rc == OK && !known)
                refuse(verdict, REJECT_STUDENT, "into");
        if (rc == OK && known)
                rc = lmdb_meta_tables(store->txn, store->dbs, find_clash, m);
        if (m->clashes)
                refuse(verdict, REJECT_DUPLICATE, "into");
        return rc;
}

/* Writes the row itself; *changed: it was not there. */
static enum err write_row(struct merge *m, const struct lmdb_row *row, bool *changed)
{
        const struct lmdb_run_place place = place_of(m, m->change->store.schema->merges->name, &m->from);
        struct lmdb_run run;
        enum err rc = lmdb_run_open(&run, &m->change->store, &place, &m->write->message);

        if (rc == OK)
                rc = lmdb_run_put(&run, row, changed);
        return rc == OK ? lmdb_run_close(&run) : rc;
}

static enum err merge_new(struct merge *m, const struct lmdb_row *row, struct lmdb_verdict *verdict)
{
        const struct lmdb_store *store = &m->change->store;
        bool counted = false;
        enum err rc = judge(m, verdict);

        if (rc != OK || verdict->rejected)
                return rc;
        rc = write_row(m, row, &verdict->changed);
        verdict->changed = rc == OK; /* a row that is there, of a merge that is not, is carried out as well */
        if (rc == OK)
                rc = lmdb_store_knows(store, m->write->tenant, lmdb_merge_slice(&m->from), &counted);
        if (rc != OK || store->dry_run)
                return rc;
        rc = carry_out(m, counted);
        return rc == OK ? say_touched(m) : rc;
}

/* It is the same merge, said in other words perhaps; another one cannot be. */
static enum err merge_again(
        struct merge *m, const struct lmdb_row *row, const struct lmdb_merge_id *now, struct lmdb_verdict *verdict)
{
        enum err rc;

        if (!slice_equal(lmdb_merge_slice(now), lmdb_merge_slice(&m->into))) {
                refuse(verdict, REJECT_DUPLICATE, "into");
                return OK;
        }
        rc = write_row(m, row, &verdict->changed);
        return rc == OK && verdict->changed && !m->change->store.dry_run ? say_touched(m) : rc;
}

enum err lmdb_change_merge(struct lmdb_change *change, struct source_write *write, const struct lmdb_row *row,
        struct lmdb_verdict *verdict)
{
        const struct lmdb_store *store = &change->store;
        struct merge m = {.change = change, .write = write};
        struct lmdb_merge_id now;
        enum err rc;

        *verdict = (struct lmdb_verdict){.changed = false};
        VC_ASSERT(row->student.len <= sizeof(m.from.bytes));
        memcpy(m.from.bytes, row->student.data, row->student.len);
        m.from.len = row->student.len;
        if (!slice_equal(row->id, slice_str("into"))) {
                refuse(verdict, REJECT_ID, "id");
                return OK;
        }
        rc = resolve(&m, row, verdict);
        if (rc != OK || verdict->rejected)
                return rc;
        rc = lmdb_merge_root(store->txn, store->dbs, write->tenant, row->student, &now);
        if (rc != OK)
                return rc;
        if (slice_equal(lmdb_merge_slice(&now), row->student))
                return merge_new(&m, row, verdict);
        return merge_again(&m, row, &now, verdict);
}
