#include "database/original.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/original_dictionary.h"

#include <pthread.h>
#include <zstd.h>

enum { LEVEL = 1, SMALL = 64, IDLE_MAX = 16 };

/* zstd's working memory is worth keeping: making it costs more than a small resource's compression. Whoever needs some
 * takes it off the list, or makes it, and puts it back. */
struct contexts {
        void *idle[IDLE_MAX];
        size_t count;
};

struct original_codec {
        ZSTD_CDict *compressing;
        ZSTD_DDict *decompressing;
        pthread_mutex_t lock;
        struct contexts packers;   /* under the lock */
        struct contexts unpackers; /* under the lock */
};

enum err original_codec_create(struct original_codec **out)
{
        struct original_codec *codec = vc_calloc(1, sizeof(*codec));

        *out = NULL;
        if (codec == NULL)
                return ERR_NOMEM;
        VC_ASSERT(pthread_mutex_init(&codec->lock, NULL) == 0);
        codec->compressing = ZSTD_createCDict(original_dictionary, original_dictionary_len, LEVEL);
        codec->decompressing = ZSTD_createDDict(original_dictionary, original_dictionary_len);
        if (codec->compressing == NULL || codec->decompressing == NULL) {
                original_codec_destroy(&codec);
                return ERR_NOMEM;
        }
        *out = codec;
        return OK;
}

void original_codec_destroy(struct original_codec **codec)
{
        struct original_codec *c = *codec;

        if (c == NULL)
                return;
        while (c->packers.count > 0)
                (void)ZSTD_freeCCtx(c->packers.idle[--c->packers.count]);
        while (c->unpackers.count > 0)
                (void)ZSTD_freeDCtx(c->unpackers.idle[--c->unpackers.count]);
        (void)ZSTD_freeCDict(c->compressing);
        (void)ZSTD_freeDDict(c->decompressing);
        (void)pthread_mutex_destroy(&c->lock);
        vc_free(c);
        *codec = NULL;
}

/* NULL: none is idle. */
static void *take(struct original_codec *codec, struct contexts *of)
{
        void *context = NULL;

        (void)pthread_mutex_lock(&codec->lock);
        if (of->count > 0)
                context = of->idle[--of->count];
        (void)pthread_mutex_unlock(&codec->lock);
        return context;
}

/* False: there are enough idle ones, free it. */
static bool give(struct original_codec *codec, struct contexts *to, void *context)
{
        bool kept;

        (void)pthread_mutex_lock(&codec->lock);
        kept = to->count < IDLE_MAX;
        if (kept)
                to->idle[to->count++] = context;
        (void)pthread_mutex_unlock(&codec->lock);
        return kept;
}

/* ---- packing ---- */

/* Compresses to the end of *bytes. *len: what it took, 0 when it is no shorter than the text. */
static enum err compress(struct original_codec *codec, struct slice text, struct buf *bytes, size_t *len)
{
        ZSTD_CCtx *context = take(codec, &codec->packers);
        enum err rc = buf_reserve(bytes, text.len);

        if (context == NULL)
                context = ZSTD_createCCtx();
        if (rc != OK || context == NULL) {
                (void)ZSTD_freeCCtx(context);
                return rc != OK ? rc : ERR_NOMEM;
        }
        *len = ZSTD_compress_usingCDict(
                context, bytes->data + bytes->end, text.len - 1, text.data, text.len, codec->compressing);
        if (ZSTD_isError(*len))
                *len = 0;
        if (!give(codec, &codec->packers, context))
                (void)ZSTD_freeCCtx(context);
        return OK;
}

enum err original_pack(struct original_codec *codec, struct slice text, struct buf *bytes, struct original *out)
{
        size_t len = 0;
        enum err rc = OK;

        VC_ASSERT(text.len > 0);
        if (text.len > UINT32_MAX)
                return ERR_LIMIT;
        *out = (struct original){.coding = ORIGINAL_PLAIN, .whole_len = (uint32_t)text.len, .hash = hash64(text, 0)};
        if (text.len >= SMALL)
                rc = compress(codec, text, bytes, &len);
        if (rc != OK)
                return rc;
        if (len == 0) {
                out->bytes.len = text.len;
                return buf_append_slice(bytes, text);
        }
        out->coding = ORIGINAL_DICTIONARY_1;
        out->bytes.len = len;
        buf_added(bytes, len);
        return OK;
}

/* ---- unpacking ---- */

static enum err decompress(struct original_codec *codec, const struct original *original, struct buf *text)
{
        ZSTD_DCtx *context = take(codec, &codec->unpackers);
        enum err rc = buf_reserve(text, original->whole_len);
        size_t len;

        if (context == NULL)
                context = ZSTD_createDCtx();
        if (rc != OK || context == NULL) {
                (void)ZSTD_freeDCtx(context);
                return rc != OK ? rc : ERR_NOMEM;
        }
        len = ZSTD_decompress_usingDDict(context, text->data + text->end, original->whole_len, original->bytes.data,
                original->bytes.len, codec->decompressing);
        if (!give(codec, &codec->unpackers, context))
                (void)ZSTD_freeDCtx(context);
        if (ZSTD_isError(len) || len != original->whole_len)
                return ERR_CORRUPT;
        buf_added(text, len);
        return OK;
}

enum err original_unpack(struct original_codec *codec, const struct original *original, struct buf *text)
{
        size_t before = buf_len(text);
        enum err rc;

        if (original->coding >= ORIGINAL_CODINGS)
                return ERR_VERSION;
        if (original->coding == ORIGINAL_PLAIN)
                rc = original->bytes.len == original->whole_len ? buf_append_slice(text, original->bytes) : ERR_CORRUPT;
        else if (ZSTD_getFrameContentSize(original->bytes.data, original->bytes.len) != original->whole_len)
                rc = ERR_CORRUPT; /* before any memory is taken for it */
        else
                rc = decompress(codec, original, text);
        if (rc != OK)
                return rc;
        if (hash64(slice_of(text->data + text->start + before, original->whole_len), 0) == original->hash)
                return OK;
        buf_truncate(text, before);
        return ERR_CORRUPT;
}

bool original_equal(const struct original *a, const struct original *b)
{
        return a->whole_len == b->whole_len && a->hash == b->hash;
}
