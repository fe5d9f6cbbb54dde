#include "cli/export_walk.h"

#include "database/value.h"

/* Rows of one reply; the server stops earlier where they are large. */
#define ROWS_AT_A_TIME "5000"

static enum err strange(struct err_msg *msg)
{
        return err_set(msg, ERR_INTERNAL, "the server's reply is not one to EXPORT; are both of the same version?");
}

/* EXPORT table [FROM cursor] COUNT n */
static enum err ask(const struct export_walk *walk, struct slice cursor, redisReply **reply, struct err_msg *msg)
{
        const struct slice words[] = {slice_str("EXPORT"), slice_str(walk->table), slice_str("COUNT"),
                slice_str(ROWS_AT_A_TIME), slice_str("FROM"), cursor};
        struct conn_command command = {.count = 0};
        size_t count = sizeof(words) / sizeof(words[0]) - (cursor.len == 0 ? 2 : 0);
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < count; i++)
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

static enum err visit_rows(const struct export_walk *walk, struct slice list, struct err_msg *msg)
{
        struct value_iter rows;
        struct slice row;
        enum err rc = OK;

        if (!value_iter_init(&rows, list, VALUE_LIST))
                return strange(msg);
        while (rc == OK && value_next(&rows, &row))
                rc = walk->visit(walk->context, row, msg);
        return rc == OK && rows.left > 0 ? strange(msg) : rc;
}

enum err export_walk(const struct export_walk *walk, struct err_msg *msg)
{
        struct buf cursor;
        enum err rc;

        buf_init(&cursor, 0);
        do {
                redisReply *reply;

                rc = ask(walk, buf_slice(&cursor), &reply, msg);
                if (rc != OK)
                        break;
                rc = check_reply(reply, msg);
                buf_truncate(&cursor, 0);
                if (rc == OK)
                        rc = visit_rows(walk, text_of(reply->element[1]), msg);
                if (rc == OK && buf_append_slice(&cursor, text_of(reply->element[0])) != OK)
                        rc = err_set(msg, ERR_NOMEM, "out of memory");
                freeReplyObject(reply);
        } while (rc == OK && buf_len(&cursor) > 0);
        buf_deinit(&cursor);
        return rc;
}
