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

/* Makes a codec: the dictionaries, made ready. It does not change any more; all threads may share it. ERR_NOMEM; *out
 * is NULL then. */
enum err original_codec_create(struct original_codec **out) MUST_CHECK;
/* Frees, nulls. NULL-safe. */
void original_codec_destroy(struct original_codec **codec);

/* zstd's working memory for a batch of originals, made when it is first needed. It is not kept longer than the batch,
 * and overwritten at its end: parts of patients' resources are in it. One thread. */
struct original_work {
        const struct original_codec *codec;
        void *packing;
        void *unpacking;
};

/* Begins and ends a batch. */
void original_work_init(struct original_work *work, const struct original_codec *codec);
void original_work_deinit(struct original_work *work);

/* Appends the stored form of `text` (at least one byte) to *bytes and describes it in *out, whose `bytes` then has its
 * length and no place: it moves with the buffer. ERR_NOMEM, ERR_LIMIT (over 4 GB); *bytes is then as before. */
enum err original_pack(
        struct original_work *work, struct slice text, struct buf *bytes, struct original *out) MUST_CHECK;

/* Appends the text. ERR_CORRUPT when the bytes are none such, ERR_VERSION when a later release's dictionary is needed,
 * ERR_NOMEM; *text is then as before. */
enum err original_unpack(struct original_work *work, const struct original *original, struct buf *text) MUST_CHECK;

/* Whether both are of one text. Either may be none. Pure. */
bool original_equal(const struct original *a, const struct original *b);

#endif
