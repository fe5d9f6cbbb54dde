#include "database/lmdb_upgrade.h"

#include "base/buf.h"
#include "base/hash.h"
#include "database/lmdb_image.h"
#include "database/lmdb_index.h"
#include "database/lmdb_rebuild.h"
#include "database/lmdb_upgrade_rows.h"
#include "database/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_BYTES = 4 << 20 }; /* so much a run that is killed loses; each step waits for the disk */

/* ---- what becomes of the entries ---- */

/* Of format 1 the records are read and what `meta` says; all else follows from them. */
static bool wants_records(void *context, const char *part)
{
        (void)context;
        return strcmp(part, "records") == 0 || strcmp(part, "meta") == 0;
}

static enum err begin_format1(void *context, MDB_txn *out, struct err_msg *msg)
{
        struct lmdb_upgrade_rows *rows = context;

        return lmdb_meta_open(out, rows->schema, &rows->dbs, msg);
}

static enum err end_format1(void *context, MDB_txn *out, struct err_msg *msg)
{
        struct lmdb_upgrade_rows *rows = context;
        enum err rc = lmdb_upgrade_rows_finish(rows, out);

        (void)msg;
        if (rc == OK)
                rc = lmdb_meta_put(out, &rows->dbs, LMDB_META_STUDENTS, rows->students);
        if (rc == OK)
                rc = lmdb_meta_put(out, &rows->dbs, LMDB_META_RECORDS, rows->records);
        return rc == OK ? lmdb_index_note(out, &rows->dbs, rows->schema) : rc;
}

/* The records are of their tables' present schema now. */
static enum err end_present(void *context, MDB_txn *out, struct err_msg *msg)
{
        struct lmdb_upgrade_rows *rows = context;

        return lmdb_meta_open(out, rows->schema, &rows->dbs, msg);
}

/* ---- of what, and for what ---- */

/* The state that the database is in: whatever is written to it changes this. */
static enum err print_source(const struct lmdb_upgrade_plan *plan, uint64_t *out, struct err_msg *msg)
{
        const struct lmdb_upgrade_survey *survey = plan->survey;
        char path[PATH_MAX];
        struct stat file;

        (void)snprintf(path, sizeof(path), "%s/" LMDB_DATA_NAME, plan->from);
        if (stat(path, &file) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot look at %s", path);
        const uint64_t state[] = {survey->format, survey->schemas, survey->position, survey->students, survey->records,
                (uint64_t)file.st_size, (uint64_t)file.st_mtim.tv_sec, (uint64_t)file.st_mtim.tv_nsec};
        *out = hash64(slice_of(state, sizeof(state)), 0);
        return OK;
}

/* All that the new entries depend on, beside the old ones. */
static enum err print_target(const struct lmdb_schema *schema, uint64_t *out)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = buf_printf(&text, "%s/%d/%llu/%s/", VC_VERSION, LMDB_FORMAT, (unsigned long long)lmdb_index_print(schema),
                schema->students->name);
        for (uint32_t i = 0; rc == OK && i < schema->table_count; i++)
                rc = record_table_def(schema->tables[i], &text);
        *out = hash64(buf_slice(&text), 0);
        buf_deinit(&text);
        return rc;
}

/* ---- copying, on from where a killed run came to ---- */

struct copy {
        const struct lmdb_upgrade_plan *plan;
        struct lmdb_upgrade_rows rows;
        struct lmdb_upgrade_copied *result;
        struct lmdb_mark mark; /* what is there; with no part it is to be begun */
        bool whole;
};

static const char *why_useless(enum lmdb_mark_state state, const struct lmdb_mark *found, const struct lmdb_mark_of *of)
{
        if (state == LMDB_MARK_NOTHING)
                return NULL;
        if (state == LMDB_MARK_UNKNOWN)
                return "it is damaged, or does not say what it is of";
        if (found->of.source != of->source)
                return "the database has changed since";
        return found->of.target != of->target ? "it is for other record types, or by another release" : NULL;
}

static enum err discard(const struct copy *c, const char *why, struct err_msg *msg)
{
        const struct lmdb_upgrade_watch *watch = c->plan->watch;
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/" LMDB_DATA_NAME, c->plan->to);
        if (unlink(path) != 0)
                return err_errno(msg, lmdb_err(errno), errno, "cannot remove %s", path);
        if (watch != NULL)
                watch->begins_anew(watch->context, why);
        return OK;
}

static void go_on(struct copy *c, uint64_t records)
{
        const struct lmdb_upgrade_watch *watch = c->plan->watch;

        c->result->before = records;
        if (watch != NULL)
                watch->goes_on(watch->context, records);
}

/* What is in the folder: of use, or gone. */
static enum err look(struct copy *c, struct err_msg *msg)
{
        struct lmdb_mark_of of;
        enum lmdb_mark_state state = LMDB_MARK_NOTHING;
        const char *why;
        enum err rc = print_source(c->plan, &of.source, msg);

        if (rc == OK)
                rc = print_target(c->plan->schema, &of.target);
        if (rc == OK)
                rc = lmdb_mark_look(c->plan->to, &state, &c->mark);
        if (rc != OK)
                return rc;
        why = why_useless(state, &c->mark, &of);
        c->whole = state == LMDB_MARK_WHOLE && why == NULL;
        if (why == NULL && state != LMDB_MARK_NOTHING)
                return OK;
        c->mark = (struct lmdb_mark){.of = of};
        return why == NULL ? OK : discard(c, why, msg);
}

static enum err resume(void *context, MDB_txn *out, MDB_dbi place)
{
        struct copy *c = context;
        enum err rc = lmdb_upgrade_rows_resume(&c->rows, out, place);

        if (rc == OK)
                go_on(c, c->rows.records);
        return rc;
}

static enum err save(void *context, MDB_txn *out, MDB_dbi place)
{
        const struct copy *c = context;

        return lmdb_upgrade_rows_save(&c->rows, out, place);
}

static void saved(void *context)
{
        const struct copy *c = context;
        const struct lmdb_upgrade_watch *watch = c->plan->watch;

        c->result->now = c->rows.records - c->result->before;
        if (watch != NULL)
                watch->copied(watch->context, c->rows.records);
}

static enum err copy(struct copy *c, struct err_msg *msg)
{
        const struct lmdb_rebuild_steps steps = {
                .mark = &c->mark,
                .bytes = c->plan->step_bytes == 0 ? STEP_BYTES : c->plan->step_bytes,
                .resume = resume,
                .save = save,
                .saved = saved,
                .context = c,
        };
        struct lmdb_rebuild_hooks hooks = {
                .entry = lmdb_upgrade_rows_present, .end = end_present, .steps = &steps, .context = &c->rows};

        if (c->plan->survey->format == 1)
                hooks = (struct lmdb_rebuild_hooks){.begin = begin_format1,
                        .wants = wants_records,
                        .entry = lmdb_upgrade_rows_format1,
                        .end = end_format1,
                        .steps = &steps,
                        .context = &c->rows};
        return lmdb_rebuild(c->plan->from, c->plan->to, &hooks, msg);
}

enum err lmdb_upgrade_copy(
        const struct lmdb_upgrade_plan *plan, struct lmdb_upgrade_copied *result, struct err_msg *msg)
{
        struct copy c = {.plan = plan, .result = result};
        enum err rc;

        *result = (struct lmdb_upgrade_copied){.before = 0};
        lmdb_upgrade_rows_init(&c.rows, plan->schema);
        rc = look(&c, msg);
        if (rc == OK && c.whole) {
                go_on(&c, plan->survey->records);
                rc = lmdb_image_settle(plan->to, plan->survey->position, msg);
        } else if (rc == OK) {
                rc = copy(&c, msg);
        }
        lmdb_upgrade_rows_deinit(&c.rows);
        return rc;
}
