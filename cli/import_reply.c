#include "cli/import_reply.h"

#include "base/cursor.h"
#include "base/quantity.h"

#include <string.h>

/* What a request needs besides its value: the parser keeps room for two reads of 16 KiB, and the other words. */
enum { FRAME_ROOM = 40 << 10 };

enum err import_reply_strange(struct err_msg *msg)
{
        return err_set(msg, ERR_INTERNAL, "the server's reply is not one to an import; are both of the same version?");
}

/* ---- before the first row ---- */

/* Sends a command of `count` words; an error of the server is ERR_INTERNAL with its text. */
static enum err ask(struct conn *conn, const char *const *words, size_t count, redisReply **reply, struct err_msg *msg)
{
        struct conn_command command = {.count = 0};
        enum err rc = OK;

        *reply = NULL;
        for (size_t i = 0; rc == OK && i < count; i++)
                rc = conn_add(&command, slice_str(words[i]));
        if (rc == OK)
                rc = conn_call(conn, &command, reply, msg);
        if (rc == OK && (*reply)->type == REDIS_REPLY_ERROR) {
                rc = err_set(msg, ERR_INTERNAL, "%s", (*reply)->str);
                freeReplyObject(*reply);
                *reply = NULL;
        }
        return rc;
}

enum err import_reply_use_msgpack(struct conn *conn, struct err_msg *msg)
{
        static const char *const words[] = {"CLIENT", "FORMAT", "msgpack"};
        redisReply *reply;
        enum err rc = ask(conn, words, sizeof(words) / sizeof(words[0]), &reply, msg);

        if (rc == OK)
                freeReplyObject(reply);
        return rc;
}

/* The value of `name` in a flat list of names and values; NULL when it is not there. */
static const redisReply *find(const redisReply *reply, const char *name)
{
        if (reply->type != REDIS_REPLY_ARRAY)
                return NULL;
        for (size_t i = 0; i + 1 < reply->elements; i += 2)
                if (reply->element[i]->type == REDIS_REPLY_STRING && strcmp(reply->element[i]->str, name) == 0)
                        return reply->element[i + 1];
        return NULL;
}

static enum err read_option(const redisReply *reply, const char *name, enum quantity_kind kind, uint64_t *out)
{
        const redisReply *value = find(reply, name);

        if (value == NULL || value->type != REDIS_REPLY_STRING)
                return ERR_INTERNAL;
        return quantity_parse(kind, slice_of(value->str, (size_t)value->len), out, NULL);
}

enum err import_reply_limits(struct conn *conn, struct import_limits *out, struct err_msg *msg)
{
        static const char *const words[] = {"CONFIG", "GET", "limits.bulk", "limits.elements", "limits.client_input"};
        redisReply *reply;
        uint64_t bulk;
        uint64_t elements;
        uint64_t input;
        enum err rc = ask(conn, words, sizeof(words) / sizeof(words[0]), &reply, msg);

        if (rc != OK)
                return rc;
        rc = read_option(reply, words[2], QUANTITY_SIZE, &bulk);
        if (rc == OK)
                rc = read_option(reply, words[3], QUANTITY_NUMBER, &elements);
        if (rc == OK)
                rc = read_option(reply, words[4], QUANTITY_SIZE, &input);
        freeReplyObject(reply);
        if (rc != OK || input <= FRAME_ROOM)
                return import_reply_strange(msg);
        out->bytes = (size_t)(bulk < input - FRAME_ROOM ? bulk : input - FRAME_ROOM);
        out->elements = (size_t)elements;
        return OK;
}

/* ---- of an IMPORT ---- */

static bool is_error(const redisReply *reply, const char *word)
{
        size_t len = strlen(word);

        return strncmp(reply->str, word, len) == 0 && reply->str[len] == ' ';
}

enum import_reply_kind import_reply_kind(const redisReply *reply)
{
        if (reply->type != REDIS_REPLY_ERROR)
                return IMPORT_TAKEN;
        if (is_error(reply, "NOTYPE"))
                return IMPORT_NO_TABLE;
        if (is_error(reply, "LIMIT"))
                return IMPORT_TOO_LARGE;
        return is_error(reply, "BADVALUE") || is_error(reply, "BADKEY") ? IMPORT_NOT_VALID : IMPORT_FAILED;
}

bool import_reply_count(const redisReply *reply, const char *name, uint64_t *out)
{
        const redisReply *value = find(reply, name);

        if (value == NULL || value->type != REDIS_REPLY_INTEGER || value->integer < 0)
                return false;
        *out = (uint64_t)value->integer;
        return true;
}

bool import_reply_token(const redisReply *reply, const char **out)
{
        const redisReply *token = find(reply, "token");

        if (token == NULL || token->type != REDIS_REPLY_STRING)
                return false;
        *out = token->str;
        return true;
}

enum err import_reply_outcome(const redisReply *reply, struct import_outcome *out, struct err_msg *msg)
{
        const redisReply *rejected = find(reply, "rejected");

        *out = (struct import_outcome){.rejected = rejected};
        if (!import_reply_token(reply, &out->token) || rejected == NULL || rejected->type != REDIS_REPLY_ARRAY ||
                !import_reply_count(reply, "written", &out->written) ||
                !import_reply_count(reply, "unchanged", &out->unchanged))
                return import_reply_strange(msg);
        out->left_out = rejected->elements;
        return OK;
}

/* [row index, field, reason word] */
bool import_reply_left_out(const struct import_outcome *outcome, size_t n, uint32_t row, struct reject *reject)
{
        const redisReply *item;
        enum reject_reason reason = REJECT_SERVER;

        if (n >= outcome->left_out)
                return false;
        item = outcome->rejected->element[n];
        if (item->type != REDIS_REPLY_ARRAY || item->elements != 3 || item->element[0]->type != REDIS_REPLY_INTEGER ||
                item->element[0]->integer != (long long)row || item->element[1]->type != REDIS_REPLY_STRING ||
                item->element[2]->type != REDIS_REPLY_STRING)
                return false;
        if (!reject_reason_of(slice_of(item->element[2]->str, (size_t)item->element[2]->len), &reason))
                reason = REJECT_SERVER;
        *reject = reject_of(reason, item->element[1]->str);
        return true;
}
