#include "database/value.h"

#include <msgpack/pack.h>

/* msgpack-c's packer writes through a callback that can only say "failed"; the reason is kept beside it. */
struct sink {
        struct buf *out;
        enum err rc;
};

static int sink_write(void *data, const char *bytes, size_t len)
{
        struct sink *sink = data;

        sink->rc = buf_append(sink->out, bytes, len);
        return sink->rc == OK ? 0 : -1;
}

static msgpack_packer packer_of(struct sink *sink)
{
        msgpack_packer packer;

        msgpack_packer_init(&packer, sink, sink_write);
        return packer;
}

#define PUT(out_, call)                                                                                                \
        do {                                                                                                           \
                struct sink sink = {.out = (out_), .rc = OK};                                                          \
                msgpack_packer packer = packer_of(&sink);                                                              \
                                                                                                                       \
                (void)(call);                                                                                          \
                return sink.rc;                                                                                        \
        } while (0)

enum err value_put_nil(struct buf *out)
{
        PUT(out, msgpack_pack_nil(&packer));
}

enum err value_put_bool(struct buf *out, bool flag)
{
        PUT(out, flag ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

enum err value_put_int(struct buf *out, int64_t integer)
{
        PUT(out, msgpack_pack_int64(&packer, integer));
}

enum err value_put_float(struct buf *out, double real)
{
        PUT(out, msgpack_pack_double(&packer, real));
}

enum err value_put_list(struct buf *out, uint32_t count)
{
        PUT(out, msgpack_pack_array(&packer, count));
}

enum err value_put_map(struct buf *out, uint32_t count)
{
        PUT(out, msgpack_pack_map(&packer, count));
}

static enum err put_text_head(struct buf *out, size_t len)
{
        PUT(out, msgpack_pack_str(&packer, len));
}

enum err value_put_text(struct buf *out, struct slice text)
{
        size_t before = buf_len(out);
        enum err rc;

        if (text.len > UINT32_MAX)
                return ERR_LIMIT;
        rc = put_text_head(out, text.len);
        if (rc == OK)
                rc = buf_append_slice(out, text);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

enum err value_put_str(struct buf *out, const char *text)
{
        return value_put_text(out, slice_str(text));
}

enum err value_put_member(struct buf *out, const char *name, struct slice text)
{
        enum err rc = value_put_str(out, name);

        return rc == OK ? value_put_text(out, text) : rc;
}

static enum err put_head(struct buf *out, const struct value *v)
{
        switch (v->kind) {
        case VALUE_NIL: return value_put_nil(out);
        case VALUE_BOOL: return value_put_bool(out, v->as.flag);
        case VALUE_INT: return value_put_int(out, v->as.integer);
        case VALUE_FLOAT: return value_put_float(out, v->as.real);
        case VALUE_TEXT: return value_put_text(out, v->as.text);
        case VALUE_LIST: return value_put_list(out, v->as.count);
        case VALUE_MAP: return value_put_map(out, v->as.count);
        }
        return ERR_INTERNAL;
}

enum err value_put_canonical(struct buf *out, struct slice item)
{
        struct cursor c = cursor_of(item);
        struct slice whole;
        struct value v;
        enum err rc = OK;

        if (!value_take(&c, &whole) || cursor_left(&c) > 0)
                return ERR_CORRUPT;
        c = cursor_of(whole);
        /* Heads follow one another in the order of the walk, so copying them one by one copies the tree. */
        while (rc == OK && cursor_left(&c) > 0)
                rc = value_read(&c, &v) ? put_head(out, &v) : ERR_CORRUPT;
        return rc;
}

/* A head of five bytes, whatever the count: 0xdd list, 0xdf map. */
static enum err open_head(struct buf *out, uint8_t head, size_t *mark)
{
        const uint8_t bytes[5] = {head, 0, 0, 0, 0};

        *mark = buf_len(out);
        return buf_append(out, bytes, sizeof(bytes));
}

enum err value_open_list(struct buf *out, size_t *mark)
{
        return open_head(out, 0xdd, mark);
}

enum err value_open_map(struct buf *out, size_t *mark)
{
        return open_head(out, 0xdf, mark);
}

void value_close(struct buf *out, size_t mark, uint32_t count)
{
        uint8_t *head;

        VC_ASSERT(mark + 5 <= buf_len(out));
        head = out->data + out->start + mark;
        for (int i = 0; i < 4; i++)
                head[1 + i] = (uint8_t)(count >> (24 - 8 * i));
}

void value_close_map(struct buf *out, size_t mark, uint32_t count)
{
        uint8_t *head = out->data + out->start + mark;
        size_t spare = count <= 15 ? 4 : count <= UINT16_MAX ? 2 : 0;

        value_close(out, mark, count);
        if (spare == 0)
                return;
        memmove(head + 5 - spare, head + 5, buf_len(out) - mark - 5);
        buf_truncate(out, buf_len(out) - spare);
        head[0] = spare == 4 ? (uint8_t)(0x80 | count) : 0xde;
        if (spare == 2) {
                head[1] = (uint8_t)(count >> 8);
                head[2] = (uint8_t)count;
        }
}
