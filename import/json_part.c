#include "import/json_part.h"

#include "database/json_bytes.h"

static bool is_space(uint8_t c)
{
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_space(struct cursor *c)
{
        while (c->at < c->end && is_space(*c->at))
                c->at++;
}

/* Over the string that begins at the cursor; false when it does not end. */
static bool skip_string(struct cursor *c)
{
        const uint8_t *at = c->at;

        do {
                at = memchr(at + 1, '"', (size_t)(c->end - (at + 1)));
        } while (at != NULL && json_bytes_is_escaped(at));
        if (at == NULL)
                return false;
        c->at = at + 1;
        return true;
}

/* What a byte does to the depth of brackets. */
static int bracket(uint8_t c)
{
        if (c == '{' || c == '[')
                return 1;
        return c == '}' || c == ']' ? -1 : 0;
}

/* Over one value, which ends before a comma, a closing bracket or the end. */
static bool take_value(struct cursor *c, struct slice *text)
{
        const uint8_t *start;
        uint64_t depth = 0;

        skip_space(c);
        start = c->at;
        while (c->at < c->end) {
                int step = bracket(*c->at);

                if (depth == 0 && (step < 0 || *c->at == ','))
                        break;
                depth += (uint64_t)(int64_t)step;
                if (*c->at != '"')
                        c->at++;
                else if (!skip_string(c))
                        return false;
        }
        *text = slice_of(start, (size_t)(c->at - start));
        return text->len > 0;
}

/* Over the byte `want`, with space before it. */
static bool take_byte(struct cursor *c, uint8_t want)
{
        skip_space(c);
        if (c->at == c->end || *c->at != want)
                return false;
        c->at++;
        return true;
}

bool json_part_iter_init(struct json_part_iter *iter, const struct json_part *part, enum value_kind kind)
{
        iter->text = cursor_of(part->text);
        return value_iter_init(&iter->values, part->value, kind) &&
               take_byte(&iter->text, kind == VALUE_MAP ? '{' : '[');
}

/* The text of the next value, and over the comma behind it. */
static bool next_text(struct json_part_iter *iter, struct slice *text)
{
        return take_value(&iter->text, text) && (iter->values.left == 0 || take_byte(&iter->text, ','));
}

bool json_part_next(struct json_part_iter *iter, struct json_part *item)
{
        return value_next(&iter->values, &item->value) && next_text(iter, &item->text);
}

bool json_part_next_member(struct json_part_iter *iter, struct slice *name, struct json_part *member)
{
        if (!value_next_member(&iter->values, name, &member->value))
                return false;
        skip_space(&iter->text);
        return iter->text.at < iter->text.end && skip_string(&iter->text) && take_byte(&iter->text, ':') &&
               next_text(iter, &member->text);
}

bool json_part_member(const struct json_part *part, const char *name, struct json_part *member)
{
        struct json_part_iter iter;
        struct slice key;

        if (!json_part_iter_init(&iter, part, VALUE_MAP))
                return false;
        while (json_part_next_member(&iter, &key, member))
                if (slice_equal(key, slice_str(name)))
                        return true;
        return false;
}

enum err json_part_compact(struct slice text, struct buf *out)
{
        struct cursor c = cursor_of(text);
        const uint8_t *run = c.at; /* what is to be kept begins here */
        size_t before = buf_len(out);
        enum err rc = OK;

        while (rc == OK && c.at < c.end) {
                if (*c.at == '"') {
                        if (!skip_string(&c))
                                c.at = c.end;
                        continue;
                }
                if (!is_space(*c.at)) {
                        c.at++;
                        continue;
                }
                rc = buf_append(out, run, (size_t)(c.at - run));
                skip_space(&c);
                run = c.at;
        }
        if (rc == OK)
                rc = buf_append(out, run, (size_t)(c.end - run));
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
