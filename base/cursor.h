/* The only way to read foreign bytes: a cursor that never leaves its slice. Every read says whether it could be done;
 * after a failed one the cursor stands where it stood. Integers are big-endian, as in LMDB keys. Not thread-safe: one
 * owner; copies are cheap and independent. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/assert.h"
#include "base/slice.h"

struct cursor {
        const uint8_t *at;
        const uint8_t *end;
};

static inline struct cursor cursor_of(struct slice s)
{
        return (struct cursor){.at = s.data, .end = s.data == NULL ? NULL : s.data + s.len};
}

static inline size_t cursor_left(const struct cursor *c)
{
        return (size_t)(c->end - c->at);
}

static inline bool MUST_CHECK cursor_take(struct cursor *c, size_t len, struct slice *out)
{
        if (len > cursor_left(c))
                return false;
        *out = slice_of(c->at, len);
        c->at += len;
        return true;
}

static inline bool MUST_CHECK cursor_u8(struct cursor *c, uint8_t *out)
{
        if (c->at == c->end)
                return false;
        *out = *c->at++;
        return true;
}

/* Big-endian unsigned integers. */
bool cursor_u16(struct cursor *c, uint16_t *out) MUST_CHECK;
bool cursor_u32(struct cursor *c, uint32_t *out) MUST_CHECK;
bool cursor_u64(struct cursor *c, uint64_t *out) MUST_CHECK;

/* Bytes up to `delimiter`, which is consumed too and not part of *out. False when there is none in what is left. */
bool cursor_until(struct cursor *c, uint8_t delimiter, struct slice *out) MUST_CHECK;

/* All of `text` as a decimal int64 / uint64: digits with an optional '-' (int64 only), no '+', no spaces, no leading
 * zeros but "0" itself, no overflow. The inverse of printing, so that equal numbers have equal bytes. */
bool slice_to_i64(struct slice text, int64_t *out) MUST_CHECK;
bool slice_to_u64(struct slice text, uint64_t *out) MUST_CHECK;

/* Valid UTF-8 by RFC 3629: shortest form, no surrogates, at most U+10FFFF. The empty slice is valid. */
bool slice_is_utf8(struct slice text);

/* Whether it has a control character of ASCII in it, U+0000 to U+001F. */
bool slice_has_control(struct slice text);

#endif
