/* A borrowed run of bytes: pointer and length, no terminator, no ownership. Passed by value. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct slice {
        const uint8_t *data;
        size_t len;
};

#define SLICE_EMPTY ((struct slice){NULL, 0})
/* for printf("%.*s", SLICE_ARG(s)) */
#define SLICE_ARG(s) (int)(s).len, (const char *)(s).data

static inline struct slice slice_of(const void *data, size_t len)
{
        return (struct slice){.data = data, .len = len};
}

/* Of a terminated string, without the terminator. */
static inline struct slice slice_str(const char *text)
{
        return slice_of(text, strlen(text));
}

/* Eight bytes, or four, as one number. */
static inline uint64_t slice_eight(const uint8_t *at)
{
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

static inline uint32_t slice_four(const uint8_t *at)
{
        uint32_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

/* Keys and names are short: comparing them right here, eight bytes at a time (the last ones perhaps twice), takes less
 * than calling memcmp. */
static inline bool slice_equal(struct slice a, struct slice b)
{
        size_t i = 0;

        if (a.len != b.len)
                return false;
        if (a.len < 4)
                return a.len == 0 || memcmp(a.data, b.data, a.len) == 0;
        if (a.len < 8)
                return slice_four(a.data) == slice_four(b.data) &&
                       slice_four(a.data + a.len - 4) == slice_four(b.data + a.len - 4);
        for (; i < a.len - 8; i += 8)
                if (slice_eight(a.data + i) != slice_eight(b.data + i))
                        return false;
        return slice_eight(a.data + a.len - 8) == slice_eight(b.data + a.len - 8);
}

/* ASCII letters alike in either case; for command and option words. */
static inline bool slice_is_word(struct slice s, const char *word)
{
        return strlen(word) == s.len && (s.len == 0 || strncasecmp((const char *)s.data, word, s.len) == 0);
}

/* Lexicographic by unsigned bytes, a shorter prefix first. <0, 0, >0. */
static inline int slice_compare(struct slice a, struct slice b)
{
        size_t common = a.len < b.len ? a.len : b.len;
        int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

        if (order != 0)
                return order;
        return a.len < b.len ? -1 : a.len > b.len;
}

#endif
