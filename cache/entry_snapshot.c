#include "cache/entry_snapshot.h"

#include "base/assert.h"

#include <string.h>

enum { VARINT_MAX = 10, BODY_MAX = (2 + SNAPSHOT_MAX_RUNNING) * VARINT_MAX };

static uint8_t *put(uint8_t *at, uint64_t n)
{
        for (; n >= 0x80; n >>= 7)
                *at++ = (uint8_t)(n | 0x80);
        *at++ = (uint8_t)n;
        return at;
}

static const uint8_t *get(const uint8_t *at, uint64_t *n)
{
        unsigned shift = 0;

        *n = 0;
        for (; (*at & 0x80) != 0; shift += 7)
                *n |= (uint64_t)(*at++ & 0x7f) << shift;
        *n |= (uint64_t)*at++ << shift;
        return at;
}

/* All but the length before it; returns how many bytes. */
static size_t put_body(const struct snapshot *s, uint8_t *out)
{
        uint64_t before = s->xmin;
        uint8_t *at = put(put(out, s->xmax), s->xmax - s->xmin);

        VC_ASSERT(s->running <= SNAPSHOT_MAX_RUNNING);
        for (uint32_t i = 0; i < s->running; i++) {
                at = put(at, s->xip[i] - before);
                before = s->xip[i];
        }
        return (size_t)(at - out);
}

size_t entry_snapshot_size(const struct snapshot *snapshot)
{
        uint8_t body[BODY_MAX];
        uint8_t head[VARINT_MAX];
        size_t len;

        if (snapshot == NULL)
                return 0;
        len = put_body(snapshot, body);
        return (size_t)(put(head, len) - head) + len;
}

void entry_snapshot_write(const struct snapshot *snapshot, uint8_t *out)
{
        uint8_t body[BODY_MAX];
        size_t len;

        if (snapshot == NULL)
                return;
        len = put_body(snapshot, body);
        memcpy(put(out, len), body, len);
}

size_t entry_snapshot_len(const uint8_t *at)
{
        uint64_t len;
        const uint8_t *body = get(at, &len);

        return (size_t)(body - at) + (size_t)len;
}

void entry_snapshot_read(const uint8_t *at, struct snapshot *out)
{
        uint64_t len;
        uint64_t difference;
        uint64_t before;
        const uint8_t *end;

        at = get(at, &len);
        end = at + len;
        at = get(get(at, &out->xmax), &difference);
        out->xmin = before = out->xmax - difference;
        out->end = out->xmax;
        for (out->running = 0; at < end; out->running++) {
                at = get(at, &difference);
                before += difference;
                out->xip[out->running] = before;
        }
}
