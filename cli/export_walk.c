#include "cli/export_walk.h"

#include "database/value.h"

#include <stdio.h>

/* Rows of one reply; the server stops earlier where they are large. */
#define ROWS_AT_A_TIME "5000"

static enum err strange(struct err_msg *msg)
{
        return err_set(msg, ERR_INTERNAL, "the server's reply is not one to EXPORT; are both of the same version?");
}

static const char *what(const struct export_walk *walk)
{
        if (walk->table != NULL)
                return walk->table;
        return walk->student != NULL ? "STUDENT" : "UNCONFIGURED";
}

/* EXPORT table | STUDENT student | UNCONFIGURED COUNT n [FROM cursor] */
static enum err ask(const struct export_walk *walk, struct slice cursor, redisReply **reply, struct err_msg *msg)
{
        bool by_student = walk->table == NULL && walk->student != NULL;
        const struct slice words[] = {slice_str("EXPORT"), slice_str(what(walk)),
                slice_str(by_student ? walk->student : ""), slice_str("COUNT"), slice_str(ROWS_AT_A_TIME),
                slice_str("FROM"), cursor};
        struct conn_command command = {.count = 0};
        size_t count = sizeof(words) / sizeof(words[0]) - (cursor.len == 0 ? 2 : 0);
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < count; i++)
                if (i != 2 || by_student)
                        rc = conn_add(&command, words[i]);
        return rc == OK ? conn_call(walk->conn, &command, reply, msg) : rc;
}

static enum err check_reply(const redisReply *reply, struct err_msg *msg)
{
        if (reply->type == REDIS_REPLY_ERROR) {
                bool no_table = strncmp(reply->str, "NOTYPE ", strlen("NOTYPE ")) == 0;

                return err_set(msg, no_table ? ERR_NOTFOUND : ERR_INTERNAL, "%s", reply->str);
        }
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[1]->type != REDIS_REPLY_STRING ||
                (reply->element[0]->type != REDIS_REPLY_STRING && reply->element[0]->type != REDIS_REPLY_NIL))
                return strange(msg);
        return OK;
}

static struct slice text_of(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING ? slice_of(reply->str, (size_t)reply->len) : SLICE_EMPTY;
}

/* An item of a walk of many tables tells its table: {"table": …, "row": …}. */
static enum err visit_told(const struct export_walk *walk, struct slice item, struct err_msg *msg)
{
        char table[EXPORT_TABLE_SIZE];
        struct export_row row = {.table = table};
        struct slice name;

        if (!value_member_text(item, "table", &name) || name.len >= sizeof(table) ||
                !value_member(item, "row", &row.row))
                return strange(msg);
        (void)snprintf(table, sizeof(table), "%.*s", SLICE_ARG(name));
        return walk->visit(walk->context, &row, msg);
}

static enum err visit_item(const struct export_walk *walk, struct slice item, struct err_msg *msg)
{
        const struct export_row row = {.table = walk->table, .row = item};

        return walk->table == NULL ? visit_told(walk, item, msg) : walk->visit(walk->context, &row, msg);
}

static enum err visit_list(const struct export_walk *walk, struct slice list, struct err_msg *msg)
{
        struct value_iter items;
        struct slice item;
        enum err rc = OK;

        if (!value_iter_init(&items, list, VALUE_LIST))
                return strange(msg);
        while (rc == OK && value_next(&items, &item))
                rc = visit_item(walk, item, msg);
        return rc == OK && items.left > 0 ? strange(msg) : rc;
}

/* One piece; *cursor says where it begins and, afterwards, where the next one does (empty: nowhere). */
static enum err walk_piece(const struct export_walk *walk, struct buf *cursor, struct err_msg *msg)
{
        redisReply *reply;
        enum err rc = ask(walk, buf_slice(cursor), &reply, msg);

        if (rc != OK)
                return rc;
        rc = check_reply(reply, msg);
        buf_truncate(cursor, 0);
        if (rc == OK)
                rc = visit_list(walk, text_of(reply->element[1]), msg);
        if (rc == OK && buf_append_slice(cursor, text_of(reply->element[0])) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        freeReplyObject(reply);
        return rc;
}

enum err export_walk(const struct export_walk *walk, struct err_msg *msg)
{
        struct buf cursor;
        enum err rc;

        buf_init(&cursor, 0);
        do {
                rc = walk_piece(walk, &cursor, msg);
                if (walk->piece != NULL)
                        walk->piece(walk->context);
        } while (rc == OK && buf_len(&cursor) > 0);
        buf_deinit(&cursor);
        return rc;
}
