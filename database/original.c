#include "database/original.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/original_dictionary.h"

/* For contexts in memory of ours; Debian's library has had these functions for years, under this name. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

enum { LEVEL = 1, SMALL = 64 };

struct original_codec {
        ZSTD_CDict *packing;
        ZSTD_DDict *unpacking;
};

/* ---- memory: vc_free() overwrites what it frees ---- */

static void *take_memory(void *context, size_t size)
{
        (void)context;
        return vc_malloc(size);
}

static void give_memory(void *context, void *block)
{
        (void)context;
        vc_free(block);
}

static const ZSTD_customMem MEMORY = {take_memory, give_memory, NULL};

enum err original_codec_create(struct original_codec **out)
{
        struct original_codec *codec = vc_calloc(1, sizeof(*codec));

        *out = NULL;
        if (codec == NULL)
                return ERR_NOMEM;
        codec->packing = ZSTD_createCDict(original_dictionary, original_dictionary_len, LEVEL);
        codec->unpacking = ZSTD_createDDict(original_dictionary, original_dictionary_len);
        if (codec->packing == NULL || codec->unpacking == NULL) {
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
        (void)ZSTD_freeCDict(c->packing);
        (void)ZSTD_freeDDict(c->unpacking);
        vc_free(c);
        *codec = NULL;
}

void original_work_init(struct original_work *work, const struct original_codec *codec)
{
        *work = (struct original_work){.codec = codec};
}

void original_work_deinit(struct original_work *work)
{
        (void)ZSTD_freeCCtx(work->packing);
        (void)ZSTD_freeDCtx(work->unpacking);
        work->packing = work->unpacking = NULL;
}

/* ---- packing ---- */

/* Compresses to the end of *bytes. *len: what it took, 0 when it is no shorter than the text. */
static enum err compress(struct original_work *work, struct slice text, struct buf *bytes, size_t *len)
{
        enum err rc = buf_reserve(bytes, text.len);

        if (work->packing == NULL)
                work->packing = ZSTD_createCCtx_advanced(MEMORY);
        if (rc != OK || work->packing == NULL)
                return rc != OK ? rc : ERR_NOMEM;
        *len = ZSTD_compress_usingCDict(
                work->packing, bytes->data + bytes->end, text.len - 1, text.data, text.len, work->codec->packing);
        if (ZSTD_isError(*len) && ZSTD_getErrorCode(*len) == ZSTD_error_memory_allocation)
                return ERR_NOMEM;
        if (ZSTD_isError(*len))
                *len = 0;
        return OK;
}

enum err original_pack(struct original_work *work, struct slice text, struct buf *bytes, struct original *out)
{
        size_t len = 0;
        enum err rc = OK;

        VC_ASSERT(text.len > 0);
        if (text.len > UINT32_MAX)
                return ERR_LIMIT;
        *out = (struct original){.coding = ORIGINAL_PLAIN, .whole_len = (uint32_t)text.len, .hash = hash64(text, 0)};
        if (text.len >= SMALL)
                rc = compress(work, text, bytes, &len);
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

static enum err decompress(struct original_work *work, const struct original *original, struct buf *text)
{
        enum err rc = buf_reserve(text, original->whole_len);
        size_t len;

        if (work->unpacking == NULL)
                work->unpacking = ZSTD_createDCtx_advanced(MEMORY);
        if (rc != OK || work->unpacking == NULL)
                return rc != OK ? rc : ERR_NOMEM;
        len = ZSTD_decompress_usingDDict(work->unpacking, text->data + text->end, original->whole_len,
                original->bytes.data, original->bytes.len, work->codec->unpacking);
        if (ZSTD_isError(len) || len != original->whole_len)
                return ERR_CORRUPT;
        buf_added(text, len);
        return OK;
}

enum err original_unpack(struct original_work *work, const struct original *original, struct buf *text)
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
                rc = decompress(work, original, text);
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
