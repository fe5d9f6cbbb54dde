/* The resource that a record came from (a FHIR resource, say), kept beside it as JSON text and given back by EXPORT.
 *
 * Resources of one kind are much alike and small, and a compressor that starts with nothing finds little in a kilobyte.
 * So it starts with a dictionary: database/original_dictionary.txt, a text in which what resources have in common
 * stands once. Compressed by zstd (RFC 8878) at its fastest level, a resource takes about a fifth of its text.
 *
 * What is stored can be read as long as its dictionary is there. So a dictionary is never changed: a better one is
 * another file with the next number, beside the old one. */
#ifndef DATABASE_ORIGINAL_H
#define DATABASE_ORIGINAL_H

#include "base/buf.h"

/* How its bytes are stored. */
enum original_coding { ORIGINAL_PLAIN, ORIGINAL_DICTIONARY_1, ORIGINAL_CODINGS };

struct original {
        uint8_t coding;     /* enum original_coding */
        uint32_t whole_len; /* of the text */
        uint64_t hash;      /* of the text: whether another one is the same */
        struct slice bytes; /* as they are stored */
};

struct original_codec;

/* Makes a codec. ERR_NOMEM; *out is NULL then. */
enum err original_codec_create(struct original_codec **out) MUST_CHECK;
/* Frees, nulls. NULL-safe. */
void original_codec_destroy(struct original_codec **codec);

/* Appends the stored form of `text` (at least one byte) to *bytes and describes it in *out, whose `bytes` then has its
 * length and no place: it moves with the buffer. ERR_NOMEM, ERR_LIMIT (over 4 GB); *bytes is then as before. Any
 * thread. */
enum err original_pack(
        struct original_codec *codec, struct slice text, struct buf *bytes, struct original *out) MUST_CHECK;

/* Appends the text. ERR_CORRUPT when the bytes are none such, ERR_VERSION when a later release's dictionary is needed,
 * ERR_NOMEM; *text is then as before. Any thread. */
enum err original_unpack(struct original_codec *codec, const struct original *original, struct buf *text) MUST_CHECK;

/* Whether both are of one text. Either may be none. Pure. */
bool original_equal(const struct original *a, const struct original *b);

#endif
