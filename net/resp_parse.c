#include "net/resp_parse.h"

#include "base/cursor.h"
#include "base/hot.h"
#include "base/mem.h"
#include "net/inline_words.h"

#include <inttypes.h>

enum {
        LENGTH_LINE_MAX = 32, /* a type byte, 20 digits and CRLF fit with room to spare */
        PLAIN_LINE_MAX = 8,   /* a type byte, the digits of nearly all lengths, and CRLF */
        CAPACITY_FIRST = 16,
        CAPACITY_KEPT = 128, /* what one huge request needed is not held by an idle connection */
        WORDS_KEPT = 512
};

/* The parameters of one call, passed about together. */
struct parse {
        struct resp_parser *parser;
        struct slice in;
        enum err *code;
        struct err_msg *msg;
};

void resp_parser_init(struct resp_parser *parser, const struct resp_limits *limits)
{
        *parser = (struct resp_parser){.limits = *limits};
        buf_init(&parser->words, 0);
}

void resp_parser_deinit(struct resp_parser *parser)
{
        vc_free(parser->argv);
        buf_deinit(&parser->words);
        resp_parser_init(parser, &parser->limits);
}

#define BAD(parse, error, ...) (*(parse)->code = err_set((parse)->msg, error, __VA_ARGS__), RESP_BAD)

COLD_PATH static enum resp_status no_memory(struct parse *p)
{
        return BAD(p, ERR_NOMEM, "out of memory while reading a request");
}

COLD_PATH static bool grow(struct resp_parser *parser)
{
        size_t capacity = parser->capacity == 0 ? CAPACITY_FIRST : parser->capacity * 2;
        union resp_argument *argv = vc_realloc(parser->argv, capacity * sizeof(*argv));

        if (argv == NULL)
                return false;
        parser->argv = argv;
        parser->capacity = capacity;
        return true;
}

COLD_PATH static bool add_argument(struct resp_parser *parser, size_t offset, size_t len)
{
        if (parser->argc == parser->capacity && !grow(parser))
                return false;
        parser->argv[parser->argc].found.offset = offset;
        parser->argv[parser->argc].found.len = len;
        parser->argc++;
        return true;
}

static void reset(struct resp_parser *parser)
{
        parser->argc = 0;
        parser->expected = 0;
        parser->at = 0;
        parser->in_bulk = false;
}

/* Hands out the frame; the parser is ready for the next one, argv stays as it is until then. */
static enum resp_status deliver(struct resp_parser *parser, const uint8_t *base, struct resp_frame *frame)
{
        for (size_t i = 0; i < parser->argc; i++)
                parser->argv[i].bytes = slice_of(base + parser->argv[i].found.offset, parser->argv[i].found.len);
        *frame = (struct resp_frame){.argv = &parser->argv->bytes, .argc = parser->argc, .consumed = parser->at};
        reset(parser);
        return RESP_FRAME;
}

static inline bool is_crlf(const uint8_t *at)
{
        return memcmp(at, "\r\n", 2) == 0;
}

/* A length line that is all there and has nothing odd about it: its number; returns how long it is, CRLF included.
 * 0: it takes a closer look (odd_length). */
static inline size_t plain_length(const uint8_t *line, size_t left, uint64_t *value)
{
        size_t at = 2;

        if (left < PLAIN_LINE_MAX || line[1] < '1' || line[1] > '9')
                return 0;
        *value = line[1] - (uint64_t)'0';
        for (; !is_crlf(line + at); at++) {
                if (at == PLAIN_LINE_MAX - 2 || line[at] < '0' || line[at] > '9')
                        return 0;
                *value = *value * 10 + line[at] - '0';
        }
        return at + 2;
}

COLD_PATH static enum resp_status odd_length(struct parse *p, struct slice in, int64_t *value)
{
        struct cursor c = cursor_of(in);
        struct slice line;

        if (!cursor_until(&c, '\n', &line)) {
                if (in.len >= LENGTH_LINE_MAX)
                        return BAD(p, ERR_PROTOCOL, "a length line is longer than %d bytes", LENGTH_LINE_MAX);
                return RESP_NEED_MORE;
        }
        if (line.len < 2 || line.data[line.len - 1] != '\r')
                return BAD(p, ERR_PROTOCOL, "a length line must end with CRLF");
        if (!slice_to_i64(slice_of(line.data + 1, line.len - 2), value))
                return BAD(p, ERR_PROTOCOL, "a length is not a decimal number of 64 bits");
        p->parser->at += line.len + 1;
        return RESP_FRAME;
}

/* The line at `at` up to CRLF, without its type byte; on success parser->at is behind it. */
static enum resp_status length_line(struct parse *p, int64_t *value)
{
        struct slice in = slice_of(p->in.data + p->parser->at, p->in.len - p->parser->at);
        uint64_t plain;
        size_t took = plain_length(in.data, in.len, &plain);

        if (took == 0)
                return odd_length(p, in, value);
        *value = (int64_t)plain;
        p->parser->at += took;
        return RESP_FRAME;
}

static enum resp_status array_header(struct parse *p, struct resp_frame *frame)
{
        int64_t count;
        enum resp_status status = length_line(p, &count);

        if (status != RESP_FRAME)
                return status;
        if (count < -1)
                return BAD(p, ERR_PROTOCOL, "an array cannot have %" PRId64 " elements", count);
        if (count > 0 && (uint64_t)count > p->parser->limits.elements)
                return BAD(p, ERR_LIMIT, "a request of %" PRId64 " elements; limits.elements is %" PRIu64, count,
                        p->parser->limits.elements);
        if (count > 0) {
                p->parser->expected = (uint64_t)count;
                return RESP_FRAME;
        }
        *frame = (struct resp_frame){.argv = NULL, .argc = 0, .consumed = p->parser->at};
        reset(p->parser);
        return RESP_NOTHING;
}

COLD_PATH static enum resp_status bulk_header(struct parse *p)
{
        struct resp_parser *parser = p->parser;
        int64_t len;
        enum resp_status status;

        if (parser->at == p->in.len)
                return RESP_NEED_MORE;
        if (p->in.data[parser->at] != '$')
                return BAD(p, ERR_PROTOCOL, "expected '$': a request is a flat array of bulk strings");
        status = length_line(p, &len);
        if (status != RESP_FRAME)
                return status;
        if (len < 0)
                return BAD(p, ERR_PROTOCOL, "a bulk string cannot have %" PRId64 " bytes", len);
        if ((uint64_t)len > parser->limits.bulk)
                return BAD(p, ERR_LIMIT, "an argument of %" PRId64 " bytes; limits.bulk is %" PRIu64, len,
                        parser->limits.bulk);
        if ((uint64_t)len + 2 > parser->limits.frame - parser->at)
                return BAD(p, ERR_LIMIT, "a request longer than limits.client_input leaves room for: %" PRIu64 " bytes",
                        parser->limits.frame);
        parser->bulk_len = (size_t)len;
        parser->in_bulk = true;
        return RESP_FRAME;
}

COLD_PATH static enum resp_status bulk_body(struct parse *p)
{
        struct resp_parser *parser = p->parser;
        const uint8_t *end;

        if (p->in.len - parser->at < parser->bulk_len + 2)
                return RESP_NEED_MORE;
        end = p->in.data + parser->at + parser->bulk_len;
        if (end[0] != '\r' || end[1] != '\n')
                return BAD(p, ERR_PROTOCOL, "a bulk string must end with CRLF after the announced length");
        if (!add_argument(parser, parser->at, parser->bulk_len))
                return no_memory(p);
        parser->at += parser->bulk_len + 2;
        parser->in_bulk = false;
        return RESP_FRAME;
}

/* Takes arguments for as long as they are all there, within the limits, and of the plainest form: nearly always all of
 * them. Whatever is left is for bulk_header and bulk_body to look at, which know what to say about it. */
static void plain_arguments(struct resp_parser *parser, struct slice in)
{
        const size_t room = in.len < parser->limits.frame ? in.len : parser->limits.frame;
        const size_t most = parser->expected < parser->capacity ? parser->expected : parser->capacity;
        size_t count = parser->argc;
        size_t at = parser->at;

        for (; count < most; count++) {
                union resp_argument *argument = &parser->argv[count];
                uint64_t len;
                size_t body = at + plain_length(in.data + at, in.len - at, &len);

                if (body == at || in.data[at] != '$' || len > parser->limits.bulk || body + len + 2 > room ||
                        !is_crlf(in.data + body + len))
                        break;
                argument->found.offset = body;
                argument->found.len = len;
                at = body + len + 2;
        }
        parser->argc = count;
        parser->at = at;
}

static enum resp_status array_frame(struct parse *p, struct resp_frame *frame)
{
        struct resp_parser *parser = p->parser;
        enum resp_status status = RESP_FRAME;

        if (parser->expected == 0)
                status = array_header(p, frame);
        while (status == RESP_FRAME && parser->argc < parser->expected) {
                if (!parser->in_bulk)
                        plain_arguments(parser, p->in);
                if (__builtin_expect(parser->argc == parser->expected, 1))
                        break;
                if (parser->at > parser->limits.frame)
                        return BAD(p, ERR_LIMIT,
                                "a request longer than limits.client_input leaves room for: %" PRIu64 " bytes",
                                parser->limits.frame);
                status = parser->in_bulk ? RESP_FRAME : bulk_header(p);
                if (status == RESP_FRAME)
                        status = bulk_body(p);
        }
        if (status != RESP_FRAME)
                return status;
        return deliver(parser, p->in.data, frame);
}

/* Records one word of an inline line, already in parser->words. */
static bool add_word(void *context, size_t offset, size_t len)
{
        return add_argument(context, offset, len);
}

COLD_PATH static enum resp_status inline_frame(struct parse *p, struct resp_frame *frame)
{
        struct resp_parser *parser = p->parser;
        struct cursor c = cursor_of(slice_of(p->in.data + parser->at, p->in.len - parser->at));
        struct slice unseen;
        struct slice line;
        enum err rc;

        if (!cursor_until(&c, '\n', &unseen)) {
                parser->at = p->in.len; /* these bytes hold no line end: not looked at again */
                if (p->in.len > parser->limits.inline_line)
                        return BAD(p, ERR_LIMIT, "an inline request longer than limits.inline, %" PRIu64 " bytes",
                                parser->limits.inline_line);
                return RESP_NEED_MORE;
        }
        line = slice_of(p->in.data, parser->at + unseen.len);
        parser->at = line.len + 1;
        if (line.len > parser->limits.inline_line)
                return BAD(p, ERR_LIMIT, "an inline request longer than limits.inline, %" PRIu64 " bytes",
                        parser->limits.inline_line);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
                line.len--;
        rc = inline_words_split(line, &parser->words, add_word, parser);
        if (rc == ERR_NOMEM)
                return no_memory(p);
        if (rc != OK)
                return BAD(p, ERR_PROTOCOL, "unbalanced quotes in an inline request");
        if (parser->argc > parser->limits.elements)
                return BAD(p, ERR_LIMIT, "a request of %zu elements; limits.elements is %" PRIu64, parser->argc,
                        parser->limits.elements);
        if (parser->argc > 0)
                return deliver(parser, parser->words.data, frame);
        *frame = (struct resp_frame){.argv = NULL, .argc = 0, .consumed = parser->at};
        reset(parser);
        return RESP_NOTHING;
}

/* What the frame before held: words that were typed, and room for many arguments. */
static void give_back_memory(struct resp_parser *parser)
{
        if (buf_len(&parser->words) > 0) {
                buf_truncate(&parser->words, 0);
                buf_shrink(&parser->words, WORDS_KEPT);
        }
        if (parser->at > 0 || parser->capacity <= CAPACITY_KEPT)
                return;
        vc_free(parser->argv);
        parser->argv = NULL;
        parser->capacity = 0;
}

enum resp_status resp_next_frame(
        struct resp_parser *parser, struct slice in, struct resp_frame *frame, enum err *code, struct err_msg *msg)
{
        struct parse p = {.parser = parser, .in = in, .code = code, .msg = msg};

        give_back_memory(parser);
        if (in.len == 0)
                return RESP_NEED_MORE;
        return in.data[0] == '*' ? array_frame(&p, frame) : inline_frame(&p, frame);
}
