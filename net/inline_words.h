/* The words of a line as typed into telnet or a transcript, with redis-cli's quoting: words are separated by blanks;
 * "..." knows \n \r \t \b \a \\ \" and \xHH; '...' knows \'. A closing quote must be followed by a blank or the end. */
#ifndef NET_INLINE_WORDS_H
#define NET_INLINE_WORDS_H

#include "base/buf.h"

/* Appends each word's bytes to `out` and tells `add` where it begins there (from out's first readable byte) and its
 * length; `add` returns false for want of memory. ERR_SYNTAX: a quote is not closed or not followed by a blank.
 * ERR_NOMEM. Pure but for `out`. */
enum err inline_words_split(struct slice line, struct buf *out, bool (*add)(void *context, size_t offset, size_t len),
        void *context) MUST_CHECK;

#endif
