#include "bench/replies.h"

#include <stdlib.h>

void replies_init(struct replies *r, enum protocol protocol, uint32_t value_size)
{
        *r = (struct replies){.protocol = protocol, .value_size = value_size};
}

static void begin_value(struct replies *r, uint64_t size)
{
        const bool right = r->value_size == 0 || size == r->value_size;

        r->skip = size + 2;
        r->values += right;
        r->errors += !right;
}

/* One item of the reply is over; none left: the reply is. An aggregate has added its own to those left before. */
static void end_item(struct replies *r)
{
        if (--r->items == 0)
                r->done++;
}

/* The number behind the first `from` bytes of the line; false: there is none. */
static bool number_in(struct replies *r, size_t from, int64_t *number)
{
        char *end;

        r->line[r->line_len] = '\0';
        *number = strtoll(r->line + from, &end, 10);
        return end != r->line + from && *end == '\0';
}

/* The values of a reply of RESP; `items` are those that a map, an array or a set is of. */
static bool take_resp_head(struct replies *r, char kind, int64_t number)
{
        switch (kind) {
        case '$':
        case '=':
                if (number < 0)
                        end_item(r);
                else
                        begin_value(r, (uint64_t)number); /* its item ends behind the body */
                return true;
        case '%': number *= 2; /* fallthrough */
        case '*':
        case '~':
                r->items += number < 0 ? 0 : (uint64_t)number;
                end_item(r);
                return true;
        default: return false;
        }
}

static bool take_resp_line(struct replies *r)
{
        int64_t number;

        if (r->line_len == 0)
                return false;
        if (r->items == 0)
                r->items = 1;
        if (strchr("$=%*~", r->line[0]) != NULL)
                return number_in(r, 1, &number) && take_resp_head(r, r->line[0], number);
        if (strchr("+-:_,#(", r->line[0]) == NULL)
                return false;
        r->errors += r->line[0] == '-';
        end_item(r);
        return true;
}

static bool line_is(const struct replies *r, const char *word)
{
        return slice_equal(slice_of(r->line, r->line_len), slice_str(word));
}

static bool line_begins(const struct replies *r, const char *word)
{
        return r->line_len >= strlen(word) && memcmp(r->line, word, strlen(word)) == 0;
}

/* VALUE <key> <flags> <bytes>, any number of them, then END; or one line. */
static bool take_memcached_line(struct replies *r)
{
        const char *last = memrchr(r->line, ' ', r->line_len);
        int64_t number;

        r->items = 1;
        if (line_begins(r, "VALUE ") && last != NULL) {
                if (!number_in(r, (size_t)(last - r->line) + 1, &number) || number < 0)
                        return false;
                begin_value(r, (uint64_t)number);
                return true;
        }
        if (line_begins(r, "ERROR") || line_begins(r, "CLIENT_ERROR") || line_begins(r, "SERVER_ERROR"))
                r->errors++;
        else if (!line_is(r, "END") && !line_is(r, "STORED"))
                return false;
        end_item(r);
        return true;
}

static void take_line(struct replies *r)
{
        bool taken = r->protocol == PROTOCOL_RESP ? take_resp_line(r) : take_memcached_line(r);

        r->damaged = !taken;
        r->line_len = 0;
}

/* A body has ended: of RESP it was an item; memcached's reply goes on to END. */
static void end_body(struct replies *r)
{
        if (r->protocol == PROTOCOL_RESP)
                end_item(r);
}

static size_t pass_over(struct replies *r, size_t len)
{
        const size_t n = len < r->skip ? len : (size_t)r->skip;

        r->skip -= n;
        if (r->skip == 0)
                end_body(r);
        return n;
}

/* Collects a line up to its '\n'; what is longer than any line that counts is cut, as only its beginning matters. */
static size_t gather_line(struct replies *r, struct slice bytes)
{
        const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
        const size_t n = end == NULL ? bytes.len : (size_t)(end - bytes.data) + 1;
        const size_t room = REPLIES_LINE_MAX - 1 - r->line_len;

        memcpy(r->line + r->line_len, bytes.data, n < room ? n : room);
        r->line_len += n < room ? n : room;
        if (end == NULL)
                return n;
        while (r->line_len > 0 && (r->line[r->line_len - 1] == '\n' || r->line[r->line_len - 1] == '\r'))
                r->line_len--;
        take_line(r);
        return n;
}

uint64_t replies_feed(struct replies *r, struct slice bytes)
{
        const uint64_t before = r->done;
        size_t at = 0;

        while (at < bytes.len && !r->damaged) {
                if (r->skip > 0)
                        at += pass_over(r, bytes.len - at);
                else
                        at += gather_line(r, slice_of(bytes.data + at, bytes.len - at));
        }
        return r->done - before;
}
