#include "import/json_split.h"

#include "base/buf.h"
#include "base/mem.h"
#include "database/json_bytes.h"
#include "database/value.h"

/* How values are told apart. A value begins with a bracket and ends with the one that closes it; brackets in strings
 * do not count. What begins with anything else is given out as it is, for the parser to say what is wrong with it.
 *
 * How a broken value ends. A file cut or mangled in the middle of a value leaves brackets open, and to wait for them to
 * close would swallow all that follows. So a value is given up as soon as it cannot be JSON any more: a line break in a
 * string; an opening bracket where no value may begin; a closing one of the other kind; more levels than any value may
 * have; something behind it on its last line. Reading goes on behind the first line of what was given up, with the
 * first line that begins with a bracket no further to the right: in NDJSON that is the next line, in a document of many
 * lines it is none of its inner parts.
 *
 * What that costs. Bytes are looked at again only when a value that went over several lines is given up. Each time, the
 * next try begins further inside, so it happens at most VALUE_DEPTH_MAX times for one byte, whatever the input. */

enum state {
        BETWEEN, /* values */
        VALUE,   /* in a value */
        AFTER,   /* behind a value's last bracket, on the same line */
        LINE,    /* in what begins no value */
        REST,    /* in the rest of a broken value's only line */
        SKIP,    /* in the rest of a line that is dropped */
        RESYNC   /* at the beginning of a line, looking for one that begins a value */
};

struct json_split {
        struct json_split_sink sink;
        size_t value_max;
        struct buf text; /* not yet done with; in VALUE, AFTER, LINE and REST it begins where the value does */
        size_t at;       /* of `text`: looked at so far */
        uint64_t line;   /* of the byte at `at` */
        size_t column;   /* of the same, from 0 */
        enum state state;
        bool in_array; /* around the values */
        uint64_t array_line;

        /* the value under way */
        uint64_t value_line;
        size_t value_column;
        size_t value_end; /* AFTER: its length */
        uint32_t depth;
        uint64_t maps; /* of the brackets that are open, which are braces: a bit each, the innermost lowest */
        bool in_string;
        uint8_t last; /* the last byte that was neither space nor in a string */
};

/* ---- bytes ---- */

static bool gathers(const struct json_split *s)
{
        return s->state == VALUE || s->state == AFTER || s->state == LINE || s->state == REST;
}

/* Bytes to look at; of a value, no more than one past its limit. */
static size_t left(const struct json_split *s)
{
        size_t len = buf_len(&s->text);

        if (gathers(s) && len > s->value_max)
                len = s->value_max + 1;
        return len - s->at;
}

static const uint8_t *here(const struct json_split *s)
{
        return s->text.data + s->text.start + s->at;
}

static void pass(struct json_split *s)
{
        bool line_ends = *here(s) == '\n';

        s->line += line_ends ? 1 : 0;
        s->column = line_ends ? 0 : s->column + 1;
        s->at++;
}

static bool is_space(uint8_t c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_open(uint8_t c)
{
        return c == '{' || c == '[';
}

/* Forgets what has been looked at. */
static void drop(struct json_split *s)
{
        enum { KEEP = 1 << 20 };

        buf_consume(&s->text, s->at);
        s->at = 0;
        if (buf_len(&s->text) == 0 && s->text.cap > KEEP)
                buf_shrink(&s->text, KEEP);
}

/* ---- giving up ---- */

/* Without the space at its end. */
static struct slice trimmed(struct slice text)
{
        while (text.len > 0 && is_space(text.data[text.len - 1]))
                text.len--;
        return text;
}

/* Reports the value, and goes back to behind its first line; when that has not ended yet, the rest of it is dropped. */
static enum err give_up(struct json_split *s, enum reject_reason why)
{
        struct slice seen = slice_of(buf_slice(&s->text).data, s->at);
        const uint8_t *line_break = seen.len == 0 ? NULL : memchr(seen.data, '\n', seen.len);
        struct slice line = s->state == REST && why == REJECT_JSON ? seen : SLICE_EMPTY;
        enum err rc;

        if (line_break != NULL)
                line = slice_of(seen.data, (size_t)(line_break - seen.data));
        rc = s->sink.broken(s->sink.context, trimmed(line), s->value_line, why);
        s->state = line_break == NULL ? SKIP : RESYNC;
        if (line_break != NULL) {
                s->at = line.len + 1;
                s->line = s->value_line + 1;
                s->column = 0;
        }
        drop(s);
        return rc;
}

/* The value is no JSON. When it is on one line, that is gathered to its end first, so that it can be shown whole. */
static enum err give_up_value(struct json_split *s)
{
        if (s->line != s->value_line)
                return give_up(s, REJECT_JSON);
        s->state = REST;
        return OK;
}

/* ---- values ---- */

static enum err begin(struct json_split *s, enum state state)
{
        drop(s);
        s->state = state;
        s->value_line = s->line;
        s->value_column = s->column;
        s->depth = 0;
        s->maps = 0;
        s->in_string = false;
        s->last = ':'; /* a value may begin */
        return OK;
}

static enum err give_value(struct json_split *s, size_t len)
{
        struct slice text = trimmed(slice_of(buf_slice(&s->text).data, len));
        enum err rc = s->sink.value(s->sink.context, text, s->value_line);

        drop(s);
        s->state = BETWEEN;
        return rc;
}

/* Goes to the end of the string, or to the line break in it, or to the end of what there is. */
static void pass_string(struct json_split *s)
{
        const uint8_t *start = here(s);
        const uint8_t *end = start + left(s);
        const uint8_t *quote = memchr(start, '"', left(s));
        const uint8_t *line_break;

        while (quote != NULL && json_bytes_is_escaped(quote))
                quote = memchr(quote + 1, '"', (size_t)(end - (quote + 1)));
        if (quote != NULL)
                end = quote;
        line_break = memchr(start, '\n', (size_t)(end - start));
        if (line_break != NULL)
                end = line_break;
        s->at += (size_t)(end - start);
        s->column += (size_t)(end - start);
}

static enum err take_open(struct json_split *s, uint8_t c)
{
        if (s->last != '[' && s->last != ',' && s->last != ':')
                return give_up_value(s);
        if (s->depth == VALUE_DEPTH_MAX)
                return give_up(s, REJECT_DEEP);
        s->depth++;
        s->maps = s->maps << 1 | (c == '{' ? 1 : 0);
        s->last = c;
        pass(s);
        return OK;
}

static enum err take_close(struct json_split *s, uint8_t c)
{
        if ((s->maps & 1) != (c == '}' ? 1 : 0))
                return give_up_value(s);
        s->depth--;
        s->maps >>= 1;
        s->last = c;
        pass(s);
        if (s->depth == 0) {
                s->state = AFTER;
                s->value_end = s->at;
        }
        return OK;
}

/* A byte of a value, outside of strings. */
static enum err take_byte(struct json_split *s)
{
        uint8_t c = *here(s);

        if (is_open(c))
                return take_open(s, c);
        if (c == '}' || c == ']')
                return take_close(s, c);
        s->in_string = c == '"';
        if (!is_space(c))
                s->last = c;
        pass(s);
        return OK;
}

/* ---- steps: each goes on until the state changes or there is no more to look at ---- */

static enum err in_value(struct json_split *s)
{
        enum err rc = OK;

        while (rc == OK && s->state == VALUE && left(s) > 0) {
                if (!s->in_string) {
                        rc = take_byte(s);
                        continue;
                }
                pass_string(s);
                if (left(s) == 0)
                        break;
                if (*here(s) == '\n')
                        return give_up_value(s);
                pass(s);
                s->in_string = false;
        }
        return rc;
}

static enum err after_value(struct json_split *s)
{
        while (left(s) > 0) {
                uint8_t c = *here(s);

                if (c == '\n' || is_open(c) || (s->in_array && (c == ',' || c == ']')))
                        return give_value(s, s->value_end);
                if (!is_space(c))
                        return give_up_value(s);
                pass(s);
        }
        return OK;
}

static enum err in_line(struct json_split *s)
{
        while (left(s) > 0) {
                uint8_t c = *here(s);

                if (c == '\n' || (s->in_array && (c == ',' || c == ']')))
                        return give_value(s, s->at);
                pass(s);
        }
        return OK;
}

static enum err in_rest(struct json_split *s)
{
        while (left(s) > 0) {
                if (*here(s) == '\n')
                        return give_up(s, REJECT_JSON);
                pass(s);
        }
        return OK;
}

/* A byte order mark, or what there is of one. */
static size_t mark_length(const struct json_split *s)
{
        static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
        size_t len = left(s) < sizeof(mark) ? left(s) : sizeof(mark);

        return memcmp(here(s), mark, len) == 0 ? len : 0;
}

static enum err between_values(struct json_split *s)
{
        while (left(s) > 0) {
                uint8_t c = *here(s);
                size_t mark = mark_length(s);

                if (mark == 3)
                        s->at += mark;
                else if (mark > 0)
                        break;
                else if (c == '[' && !s->in_array) {
                        s->in_array = true;
                        s->array_line = s->line;
                        pass(s);
                } else if (is_open(c))
                        return begin(s, VALUE);
                else if (is_space(c) || (s->in_array && (c == ',' || c == ']'))) {
                        s->in_array = s->in_array && c != ']';
                        pass(s);
                } else
                        return begin(s, LINE);
        }
        drop(s);
        return OK;
}

static enum err skip_line(struct json_split *s)
{
        const uint8_t *line_break = memchr(here(s), '\n', left(s));

        if (line_break == NULL) {
                s->at += left(s);
        } else {
                s->at += (size_t)(line_break - here(s));
                pass(s);
                s->state = RESYNC;
        }
        drop(s);
        return OK;
}

static enum err resync(struct json_split *s)
{
        while (left(s) > 0 && is_space(*here(s)))
                pass(s);
        if (left(s) > 0) {
                bool begins = is_open(*here(s)) || (s->in_array && *here(s) == ']');

                s->state = begins && s->column <= s->value_column ? BETWEEN : SKIP;
        }
        drop(s);
        return OK;
}

static enum err (*const STEPS[])(struct json_split *) = {
        [BETWEEN] = between_values,
        [VALUE] = in_value,
        [AFTER] = after_value,
        [LINE] = in_line,
        [REST] = in_rest,
        [SKIP] = skip_line,
        [RESYNC] = resync,
};

/* ---- reading ---- */

/* The value under way has as many bytes as it may, and one more; those behind its last bracket do not count. */
static enum err stop_gathering(struct json_split *s)
{
        return s->state == AFTER && s->value_end <= s->value_max ? give_value(s, s->value_end)
                                                                 : give_up(s, REJECT_LONG);
}

static enum err run(struct json_split *s)
{
        enum state before;
        enum err rc = OK;

        do {
                before = s->state;
                if (left(s) > 0)
                        rc = STEPS[before](s);
                if (rc == OK && gathers(s) && s->at > s->value_max)
                        rc = stop_gathering(s);
        } while (rc == OK && s->state != before);
        return rc;
}

enum err json_split_create(struct json_split **out, size_t value_max, const struct json_split_sink *sink)
{
        struct json_split *s = vc_calloc(1, sizeof(*s));

        *out = s;
        if (s == NULL)
                return ERR_NOMEM;
        s->sink = *sink;
        s->value_max = value_max;
        s->line = 1;
        buf_init(&s->text, 0);
        return OK;
}

void json_split_destroy(struct json_split **split)
{
        if (*split == NULL)
                return;
        buf_deinit(&(*split)->text);
        vc_free(*split);
        *split = NULL;
}

enum err json_split_feed(struct json_split *split, struct slice bytes)
{
        enum { PIECE_MAX = 1 << 16 }; /* so that no more than that is held past a value's limit */
        enum err rc = OK;

        while (rc == OK && bytes.len > 0) {
                struct slice piece = slice_of(bytes.data, bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX);

                rc = buf_append_slice(&split->text, piece);
                if (rc == OK)
                        rc = run(split);
                bytes = slice_of(bytes.data + piece.len, bytes.len - piece.len);
        }
        return rc;
}

enum err json_split_finish(struct json_split *split)
{
        enum err rc = json_split_feed(split, slice_str("\n")); /* ends a last line without a line break */

        while (rc == OK && split->state == VALUE) { /* it is open; what it swallowed is looked at again */
                rc = give_up(split, REJECT_JSON);
                if (rc == OK)
                        rc = run(split);
        }
        if (rc == OK && split->in_array)
                rc = split->sink.broken(split->sink.context, SLICE_EMPTY, split->array_line, REJECT_JSON);
        return rc;
}
