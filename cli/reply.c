#include "cli/reply.h"

#include "base/cursor.h"
#include "database/value_json.h"

#include <stdlib.h>

enum { REPLY_DEPTH_MAX = 8 };

static struct slice reply_text(const redisReply *reply)
{
        return slice_of(reply->str, (size_t)reply->len);
}

/* ---- maps ---- */

static bool is_name(const redisReply *reply)
{
        struct slice text = reply_text(reply);

        if (reply->type != REDIS_REPLY_STRING || text.len == 0)
                return false;
        for (size_t i = 0; i < text.len; i++) {
                uint8_t c = text.data[i];

                if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
                        return false;
        }
        return true;
}

static bool is_map(const redisReply *reply)
{
        if (reply->elements == 0 || reply->elements % 2 != 0)
                return false;
        for (size_t i = 0; i < reply->elements; i += 2)
                if (!is_name(reply->element[i]))
                        return false;
        return true;
}

static bool is_flag(struct slice name)
{
        static const char *const flags[] = {"cached", "critical", "found", "stale"};

        for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
                if (slice_equal(name, slice_str(flags[i])))
                        return true;
        return false;
}

/* ---- scalars ---- */

/* "0.25", as RESP2 sends a float; "v1-…", "12" and the like are text. */
static bool is_fraction(struct slice text)
{
        size_t dots = 0;

        if (text.len < 3 || text.len > 24 || text.data[0] == '.' || text.data[text.len - 1] == '.')
                return false;
        for (size_t i = 0; i < text.len; i++) {
                if (text.data[i] == '.')
                        dots++;
                else if (text.data[i] < '0' || text.data[i] > '9')
                        return false;
        }
        return dots == 1;
}

static enum err put_text(struct buf *out, struct slice text, struct err_msg *msg)
{
        char number[32];

        if (!slice_is_utf8(text))
                return err_set(msg, ERR_BADVALUE, "the server sent text that is not UTF-8");
        if (!is_fraction(text))
                return value_put_text(out, text);
        memcpy(number, text.data, text.len);
        number[text.len] = '\0';
        return value_put_float(out, strtod(number, NULL));
}

static enum err put_error(struct buf *out, const redisReply *reply)
{
        enum err rc = value_put_map(out, 1);

        return rc == OK ? value_put_member(out, "error", reply_text(reply)) : rc;
}

static enum err put_reply(struct buf *out, const redisReply *reply, int depth, struct err_msg *msg);

static enum err put_elements(struct buf *out, const redisReply *reply, int depth, struct err_msg *msg)
{
        bool map = is_map(reply);
        uint32_t count = (uint32_t)reply->elements;
        enum err rc = map ? value_put_map(out, count / 2) : value_put_list(out, count);

        for (uint32_t i = 0; rc == OK && i < count; i++) {
                const redisReply *element = reply->element[i];

                if (map && i % 2 == 0)
                        rc = value_put_text(out, reply_text(element));
                else if (map && element->type == REDIS_REPLY_INTEGER && is_flag(reply_text(reply->element[i - 1])))
                        rc = value_put_bool(out, element->integer != 0);
                else
                        rc = put_reply(out, element, depth + 1, msg);
        }
        return rc;
}

static enum err put_reply(struct buf *out, const redisReply *reply, int depth, struct err_msg *msg)
{
        if (depth > REPLY_DEPTH_MAX)
                return err_set(msg, ERR_BADVALUE, "the server's reply is nested too deep");
        switch (reply->type) {
        case REDIS_REPLY_NIL: return value_put_nil(out);
        case REDIS_REPLY_INTEGER: return value_put_int(out, reply->integer);
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS: return put_text(out, reply_text(reply), msg);
        case REDIS_REPLY_ERROR: return put_error(out, reply);
        case REDIS_REPLY_ARRAY: return put_elements(out, reply, depth, msg);
        default: return err_set(msg, ERR_BADVALUE, "the server's reply is of an unknown kind");
        }
}

enum err reply_to_value(const redisReply *reply, struct buf *out, struct err_msg *msg)
{
        return put_reply(out, reply, 0, msg);
}

enum err reply_record_to_value(const redisReply *reply, struct buf *out, struct err_msg *msg)
{
        const struct value_limits limits = {.bytes = SIZE_MAX, .depth = VALUE_DEPTH_MAX, .elements = UINT32_MAX};
        enum err rc;

        if (reply->type == REDIS_REPLY_STRING)
                return value_from_json(reply_text(reply), &limits, out, msg);
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
                return put_reply(out, reply, 0, msg);
        rc = value_put_map(out, 2);
        if (rc == OK)
                rc = value_put_str(out, "value");
        if (rc == OK)
                rc = reply_record_to_value(reply->element[0], out, msg);
        if (rc == OK)
                rc = value_put_str(out, "meta");
        return rc == OK ? put_reply(out, reply->element[1], 1, msg) : rc;
}
