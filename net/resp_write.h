/* RESP replies in protocol 2 or 3 into a buffer. A writer keeps its first failure (the buffer's limit, or memory) and
 * writes nothing after it, so that a handler writes its whole reply and the command path looks once.
 * Not thread-safe: one per reply. */
#ifndef NET_RESP_WRITE_H
#define NET_RESP_WRITE_H

#include "base/buf.h"

struct resp_writer {
        struct buf *out;
        uint8_t proto;   /* 2 or 3 */
        enum err failed; /* OK, ERR_LIMIT or ERR_NOMEM */
};

/* A writer at the end of `out`. */
static inline struct resp_writer resp_writer_of(struct buf *out, uint8_t proto)
{
        return (struct resp_writer){.out = out, .proto = proto, .failed = OK};
}

/* "+OK" and its like; `text` is a literal without line ends. */
void resp_simple(struct resp_writer *w, const char *text);

/* "-WORD text": the code's word, then `text` with control bytes made visible and cut at a few hundred bytes: what a
 * client sent may be quoted back to it. */
void resp_error(struct resp_writer *w, enum err code, const char *text);

/* A whole number. */
void resp_int(struct resp_writer *w, int64_t value);

/* Any bytes, with their length before them. */
void resp_bulk(struct resp_writer *w, struct slice bytes);

/* As resp_bulk, of a terminated string. */
void resp_bulk_str(struct resp_writer *w, const char *text);

/* printf-style bulk of at most 511 bytes: numbers, versions, names of ours. */
void resp_bulk_printf(struct resp_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text for people: a verbatim string in protocol 3, a bulk string in 2. */
void resp_text(struct resp_writer *w, struct slice text);

/* No value: "_" in protocol 3, the null bulk string in 2. */
void resp_nil(struct resp_writer *w);

/* A boolean; 1 or 0 in protocol 2. */
void resp_bool(struct resp_writer *w, bool value);

/* A number with a fraction; a bulk string in protocol 2. */
void resp_double(struct resp_writer *w, double value);

/* The head of an aggregate; the elements follow. A map is a flat array of names and values in protocol 2, a set and a
 * push message are arrays there. */
void resp_array(struct resp_writer *w, size_t elements);
void resp_map(struct resp_writer *w, size_t pairs);
void resp_set(struct resp_writer *w, size_t elements);
void resp_push(struct resp_writer *w, size_t elements);

/* A member of a map: a name, and a number, text or boolean. Numbers past int64 are cut. */
void resp_member_int(struct resp_writer *w, const char *name, int64_t value);
void resp_member_count(struct resp_writer *w, const char *name, uint64_t value);
void resp_member_str(struct resp_writer *w, const char *name, const char *text);
void resp_member_bool(struct resp_writer *w, const char *name, bool value);

/* Bytes that are RESP already. */
void resp_raw(struct resp_writer *w, struct slice bytes);

/* Drops all that was written after `mark` (buf_len(w->out) at that time) and forgets the failure. */
void resp_rewind(struct resp_writer *w, size_t mark);

#endif
