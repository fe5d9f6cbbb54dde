#include "cli/export_run.h"

#include "cli/import_reply.h"
#include "database/row_json.h"
#include "database/value.h"

#include <errno.h>

enum { TABLE_SIZE = 128 };

struct export_state {
        const struct export_plan *plan;
        struct export_counts *counts;
        struct err_msg *msg;
        char cursor[2049]; /* where to go on; "": from the start */
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

/* ---- replies ---- */

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

/* An item of EXPORT STUDENT: {"table": …, "row": …}. */
static enum err write_told_row(struct export_state *e, struct slice item)
{
        char table[TABLE_SIZE];
        struct slice name;
        struct slice row;

        if (!value_member_text(item, "table", &name) || name.len >= sizeof(table) || !value_member(item, "row", &row))
                return import_reply_strange(e->msg);
        if (!is_wanted(e, name))
                return OK;
        (void)snprintf(table, sizeof(table), "%.*s", SLICE_ARG(name));
        return write_row(e, table, row);
}

/* `table` NULL: the rows tell theirs. */
static enum err write_rows(struct export_state *e, const char *table, struct slice list)
{
        struct value_iter rows;
        struct slice row;
        enum err rc = OK;

        if (!value_iter_init(&rows, list, VALUE_LIST))
                return import_reply_strange(e->msg);
        while (rc == OK && value_next(&rows, &row))
                rc = table == NULL ? write_told_row(e, row) : write_row(e, table, row);
        return rc == OK && rows.left > 0 ? import_reply_strange(e->msg) : rc;
}

static enum err take_reply(struct export_state *e, const char *table, const redisReply *reply)
{
        const redisReply *cursor;
        const redisReply *rows;

        if (reply->type == REDIS_REPLY_ERROR)
                return err_set(e->msg, ERR_INTERNAL, "%s", reply->str);
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                return import_reply_strange(e->msg);
        cursor = reply->element[0];
        rows = reply->element[1];
        if (rows->type != REDIS_REPLY_STRING || (cursor->type == REDIS_REPLY_STRING && cursor->len == 0) ||
                (size_t)cursor->len >= sizeof(e->cursor))
                return import_reply_strange(e->msg);
        (void)snprintf(e->cursor, sizeof(e->cursor), "%s", cursor->type == REDIS_REPLY_STRING ? cursor->str : "");
        return write_rows(e, table, slice_of(rows->str, (size_t)rows->len));
}

/* ---- requests ---- */

static enum err ask(struct export_state *e, const char *const *words, size_t count, redisReply **reply)
{
        struct conn_command command = {.count = 0};
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < count; i++)
                rc = conn_add(&command, slice_str(words[i]));
        return rc == OK ? conn_call(e->plan->conn, &command, reply, e->msg) : err_set(e->msg, rc, "%s", err_text(rc));
}

static enum err export_piece(struct export_state *e, const char *table)
{
        const char *words[7] = {"EXPORT"};
        size_t count = 1;
        redisReply *reply;
        enum err rc;

        if (table == NULL)
                words[count++] = "STUDENT";
        words[count++] = table == NULL ? e->plan->student : table;
        words[count++] = "COUNT";
        words[count++] = "5000";
        if (e->cursor[0] != '\0') {
                words[count++] = "FROM";
                words[count++] = e->cursor;
        }
        rc = ask(e, words, count, &reply);
        if (rc != OK)
                return rc;
        rc = take_reply(e, table, reply);
        freeReplyObject(reply);
        return rc;
}

/* The records of a table or, when that is NULL, of the student. */
static enum err export_table(struct export_state *e, const char *table)
{
        struct progress_at at = {.path = table == NULL ? "student" : table};
        enum err rc;

        e->cursor[0] = '\0';
        do {
                rc = export_piece(e, table);
                at.rows = e->counts->records;
                at.bytes = e->counts->bytes;
                import_progress_show(e->plan->progress, &at, clock_boot());
        } while (rc == OK && e->cursor[0] != '\0');
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
        return rc;
}

enum err export_run(const struct export_plan *plan, struct export_counts *counts, struct err_msg *msg)
{
        static const char *const words[] = {"EXPORT", "TABLES"};
        struct export_state e = {.plan = plan, .counts = counts, .msg = msg};
        redisReply *tables = NULL;
        enum err rc = import_reply_use_msgpack(plan->conn, msg);

        *counts = (struct export_counts){.records = 0};
        buf_init(&e.line, 0);
        if (rc == OK)
                rc = ask(&e, words, 2, &tables);
        if (rc == OK) {
                rc = export_tables(&e, tables);
                freeReplyObject(tables);
        }
        if (rc == OK && fflush(plan->out) != 0)
                rc = err_errno(msg, ERR_IO, errno, "cannot write the export");
        buf_deinit(&e.line);
        return rc;
}
