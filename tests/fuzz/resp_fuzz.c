/* Any bytes into the RESP parser: it neither reads past its input nor breaks a promise, and it finds the same frames
 * whether the bytes come whole or in pieces. The first byte of the input says how large the pieces are. */
#include "base/hash.h"
#include "base/mem.h"
#include "net/resp_parse.h"

#include <stdlib.h>

static const struct resp_limits LIMITS = {.elements = 64, .bulk = 4096, .inline_line = 512, .frame = 8192};

struct outcome {
        uint64_t hash; /* of all frames in order */
        size_t frames;
        bool bad;
};

static void note(struct outcome *o, const struct resp_frame *frame)
{
        o->frames++;
        for (size_t i = 0; i < frame->argc; i++)
                o->hash = hash64(frame->argv[i], o->hash + i + 1);
}

static struct outcome parse(struct slice bytes, size_t step)
{
        struct outcome o = {0, 0, false};
        struct resp_parser parser;
        size_t start = 0;
        size_t end = 0;
        enum resp_status status = RESP_NEED_MORE;

        resp_parser_init(&parser, &LIMITS);
        while (end < bytes.len || status != RESP_NEED_MORE) {
                struct resp_frame frame;
                struct err_msg msg;
                enum err code;
                uint8_t *copy;

                if (status == RESP_NEED_MORE)
                        end = bytes.len - end < step ? bytes.len : end + step;
                copy = vc_memdup(bytes.data + start, end - start);
                if (copy == NULL)
                        abort();
                status = resp_next_frame(&parser, slice_of(copy, end - start), &frame, &code, &msg);
                if (status == RESP_FRAME)
                        note(&o, &frame);
                vc_free(copy);
                if (status == RESP_BAD)
                        break;
                if (status != RESP_NEED_MORE)
                        start += frame.consumed;
        }
        o.bad = status == RESP_BAD;
        resp_parser_deinit(&parser);
        return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct outcome whole;
        struct outcome pieces;
        struct slice bytes;

        if (size < 2)
                return 0;
        bytes = slice_of(data + 1, size - 1);
        whole = parse(bytes, bytes.len);
        pieces = parse(bytes, (size_t)data[0] + 1);
        VC_ASSERT(whole.frames == pieces.frames);
        VC_ASSERT(whole.hash == pieces.hash);
        VC_ASSERT(whole.bad == pieces.bad);
        return 0;
}
