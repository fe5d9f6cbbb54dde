/* RESP requests (https://redis.io/docs/latest/develop/reference/protocol-spec/): bytes -> arguments. A request is a flat
 * array of bulk strings, or an inline line of words as typed into telnet. The parser copies nothing (inline words
 * apart), remembers where it stopped, so that a frame that comes byte by byte costs no more than one that comes whole,
 * and takes memory by what has arrived, never by what a header promises. Not thread-safe: one per connection. */
#ifndef NET_RESP_PARSE_H
#define NET_RESP_PARSE_H

#include "base/buf.h"

struct resp_limits {
        uint64_t elements;    /* arguments of one request */
        uint64_t bulk;        /* bytes of one argument */
        uint64_t inline_line; /* bytes of an inline request */
        uint64_t frame;       /* bytes of one request as sent */
};

enum resp_status {
        RESP_NEED_MORE, /* the frame is not complete yet */
        RESP_FRAME,     /* a request: argc >= 1 */
        RESP_NOTHING,   /* `consumed` bytes that ask for nothing: an empty line, *0, *-1 */
        RESP_BAD        /* not RESP, or past a limit: the connection cannot go on */
};

struct resp_frame {
        const struct slice *argv; /* borrow from the input and the parser until the next call */
        size_t argc;
        size_t consumed; /* bytes of the input that the frame took */
};

/* An argument: while its frame grows, and the input may move, where it lies in that; in the end its bytes. */
union resp_argument {
        struct {
                size_t offset;
                size_t len;
        } found;
        struct slice bytes;
};

struct resp_parser {
        struct resp_limits limits;
        union resp_argument *argv;
        size_t capacity;   /* of argv */
        size_t argc;       /* arguments found so far */
        uint64_t expected; /* arguments that the header announced; 0: no header read yet */
        size_t at;         /* where to go on, from the frame's first byte */
        bool in_bulk;      /* the length of the next argument has been read */
        size_t bulk_len;
        struct buf words; /* the words of an inline request, unquoted */
};

/* An empty parser; allocates nothing yet. */
void resp_parser_init(struct resp_parser *parser, const struct resp_limits *limits);
void resp_parser_deinit(struct resp_parser *parser);

/* Bytes that the parser has allocated. */
static inline size_t resp_parser_memory(const struct resp_parser *parser)
{
        return parser->capacity * sizeof(*parser->argv) + parser->words.cap;
}

/* Looks for the next frame in `in`, which begins with that frame's first byte (the same bytes and more after
 * RESP_NEED_MORE). With RESP_FRAME and RESP_NOTHING the caller drops frame->consumed bytes before it calls again. With
 * RESP_BAD *code (ERR_PROTOCOL, ERR_LIMIT or ERR_NOMEM) and *msg say why; only deinit may follow. */
enum resp_status resp_next_frame(struct resp_parser *parser, struct slice in, struct resp_frame *frame, enum err *code,
        struct err_msg *msg) MUST_CHECK;

#endif
