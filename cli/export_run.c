#include "cli/export_run.h"

#include "cli/export_walk.h"
#include "cli/import_reply.h"
#include "import/row_json.h"
#include "database/value.h"

#include <errno.h>

struct export_state {
        const struct export_plan *plan;
        struct export_counts *counts;
        struct err_msg *msg;
        struct progress_at at;
        struct buf line;
};

/* ---- lines ---- */

/* An original that is an object; of others, which no import made, there is no line. */
static bool original_of(struct slice row, struct slice *out)
{
        return value_member_text(row, "resource", out) && out->len > 0 && out->data[0] == '{';
}

static enum err put_line(struct export_state *e, const char *table, struct slice row)
{
        struct slice original;

        buf_truncate(&e->line, 0);
        if (!e->plan->originals)
                return row_json_put(table, row, &e->line);
        if (original_of(row, &original))
                return buf_append_slice(&e->line, original);
        e->counts->without_original++;
        return OK;
}

static enum err write_row(struct export_state *e, const char *table, struct slice row)
{
        enum err rc = put_line(e, table, row);

        if (rc != OK)
                return err_set(e->msg, rc, "a record of %s cannot be written: %s", table, err_text(rc));
        e->counts->records++;
        if (buf_len(&e->line) == 0)
                return OK;
        if (buf_append_str(&e->line, "\n") != OK)
                return err_set(e->msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        if (fwrite(e->line.data + e->line.start, 1, buf_len(&e->line), e->plan->out) != buf_len(&e->line))
                return err_errno(e->msg, ERR_IO, errno, "cannot write the export");
        e->counts->bytes += buf_len(&e->line);
        return OK;
}

/* ---- pieces ---- */

/* Whether `name` is one of those asked for. */
static bool is_wanted(const struct export_state *e, struct slice name)
{
        struct cursor names = cursor_of(slice_str(e->plan->tables == NULL ? "" : e->plan->tables));
        struct slice one;

        if (e->plan->tables == NULL)
                return true;
        while (cursor_until(&names, ',', &one))
                if (slice_equal(one, name))
                        return true;
        return cursor_take(&names, cursor_left(&names), &one) && slice_equal(one, name);
}

static enum err take_row(void *context, const struct export_row *row, struct err_msg *msg)
{
        struct export_state *e = context;

        (void)msg; /* it is e->msg */
        return is_wanted(e, slice_str(row->table)) ? write_row(e, row->table, row->row) : OK;
}

static void show_progress(void *context)
{
        struct export_state *e = context;

        e->at.rows = e->counts->records;
        e->at.bytes = e->counts->bytes;
        import_progress_show(e->plan->progress, &e->at, clock_boot());
}

/* The records of a table or, when that is NULL, of the student. */
static enum err export_table(struct export_state *e, const char *table)
{
        const struct export_walk walk = {.conn = e->plan->conn,
                .table = table,
                .student = e->plan->student,
                .visit = take_row,
                .piece = show_progress,
                .context = e};
        enum err rc;

        e->at = (struct progress_at){.path = table == NULL ? "student" : table};
        rc = export_walk(&walk, e->msg);
        return rc == ERR_NOTFOUND ? ERR_INTERNAL : rc; /* the server had said that there is this table */
}

/* ---- what is left out ---- */

struct left_out {
        const struct export_plan *plan;
        char table[EXPORT_TABLE_SIZE];
        uint64_t records; /* of it, so far */
};

static void tell(struct left_out *left)
{
        if (left->records > 0)
                left->plan->left_out(left->plan->context, left->table, left->records);
        left->records = 0;
}

/* Those of a table come together. */
static enum err count_row(void *context, const struct export_row *row, struct err_msg *msg)
{
        struct left_out *left = context;

        (void)msg;
        if (strcmp(left->table, row->table) != 0)
                tell(left);
        (void)snprintf(left->table, sizeof(left->table), "%s", row->table);
        left->records++;
        return OK;
}

static enum err tell_left_out(struct export_state *e)
{
        struct left_out left = {.plan = e->plan};
        const struct export_walk walk = {.conn = e->plan->conn, .visit = count_row, .context = &left};
        enum err rc = export_walk(&walk, e->msg);

        tell(&left);
        return rc;
}

/* ---- all of it ---- */

/* Each name that was asked for is one of the server's. */
static enum err check_names(struct export_state *e, const redisReply *tables)
{
        struct cursor names = cursor_of(slice_str(e->plan->tables == NULL ? "" : e->plan->tables));

        while (cursor_left(&names) > 0) {
                struct slice one;
                bool known = false;

                if (!cursor_until(&names, ',', &one) && !cursor_take(&names, cursor_left(&names), &one))
                        return ERR_INTERNAL;
                for (size_t i = 0; i < tables->elements; i++)
                        known = known || slice_equal(one, slice_str(tables->element[i]->str));
                if (!known)
                        return err_set(e->msg, ERR_SYNTAX, "the server has no table \"%.*s\"", SLICE_ARG(one));
        }
        return OK;
}

static enum err export_tables(struct export_state *e, const redisReply *tables)
{
        enum err rc = OK;

        if (tables->type == REDIS_REPLY_ERROR)
                return err_set(e->msg, ERR_INTERNAL, "%s", tables->str);
        if (tables->type != REDIS_REPLY_ARRAY)
                return import_reply_strange(e->msg);
        for (size_t i = 0; i < tables->elements; i++)
                if (tables->element[i]->type != REDIS_REPLY_STRING)
                        return import_reply_strange(e->msg);
        rc = check_names(e, tables);
        if (rc == OK && e->plan->student != NULL)
                return export_table(e, NULL);
        for (size_t i = 0; rc == OK && i < tables->elements; i++)
                if (is_wanted(e, slice_str(tables->element[i]->str)))
                        rc = export_table(e, tables->element[i]->str);
        return rc == OK && e->plan->tables == NULL ? tell_left_out(e) : rc;
}

static enum err ask_tables(struct export_state *e, redisReply **reply)
{
        struct conn_command command = {.count = 0};
        enum err rc = conn_add(&command, slice_str("EXPORT"));

        if (rc == OK)
                rc = conn_add(&command, slice_str("TABLES"));
        return rc == OK ? conn_call(e->plan->conn, &command, reply, e->msg) : err_set(e->msg, rc, "%s", err_text(rc));
}

enum err export_run(const struct export_plan *plan, struct export_counts *counts, struct err_msg *msg)
{
        struct export_state e = {.plan = plan, .counts = counts, .msg = msg};
        redisReply *tables = NULL;
        enum err rc = import_reply_use_msgpack(plan->conn, msg);

        *counts = (struct export_counts){.records = 0};
        buf_init(&e.line, 0);
        if (rc == OK)
                rc = ask_tables(&e, &tables);
        if (rc == OK) {
                rc = export_tables(&e, tables);
                freeReplyObject(tables);
        }
        if (rc == OK && fflush(plan->out) != 0)
                rc = err_errno(msg, ERR_IO, errno, "cannot write the export");
        buf_deinit(&e.line);
        return rc;
}
