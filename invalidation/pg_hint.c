#include "invalidation/pg_hint.h"

#include "base/cursor.h"
#include "database/tag.h"

enum { VERSION = 1, HEAD_SIZE = 1 + 8, BYTES_MAX = PG_HINT_TEXT_MAX / 2 };

_Static_assert(HEAD_SIZE + 2 + TAG_BINARY_MAX <= BYTES_MAX, "every tag fits into a payload of its own");

enum err pg_hex_put(struct buf *out, struct slice bytes)
{
        static const char digits[] = "0123456789abcdef";
        enum err rc = buf_reserve(out, 2 * bytes.len);

        for (size_t i = 0; rc == OK && i < bytes.len; i++) {
                const char pair[2] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 0xf]};

                rc = buf_append(out, pair, sizeof(pair));
        }
        return rc;
}

static enum err put_head(uint64_t sender, struct buf *out)
{
        uint8_t head[HEAD_SIZE] = {VERSION};

        for (unsigned i = 0; i < 8; i++)
                head[1 + i] = (uint8_t)(sender >> (56 - 8 * i));
        return pg_hex_put(out, slice_of(head, sizeof(head)));
}

static enum err put_tag(struct slice tag, struct buf *out)
{
        const uint8_t length[2] = {(uint8_t)(tag.len >> 8), (uint8_t)(tag.len & 0xff)};
        enum err rc = pg_hex_put(out, slice_of(length, sizeof(length)));

        return rc == OK ? pg_hex_put(out, tag) : rc;
}

enum err pg_hint_write(uint64_t sender, const struct slice *tags, size_t count, struct buf *out, size_t *taken)
{
        const size_t before = buf_len(out);
        size_t bytes = HEAD_SIZE;
        enum err rc = put_head(sender, out);

        VC_ASSERT(count > 0);
        for (*taken = 0; rc == OK && *taken < count; (*taken)++) {
                VC_ASSERT(tags[*taken].len <= TAG_BINARY_MAX);
                bytes += 2 + tags[*taken].len;
                if (bytes > BYTES_MAX)
                        break;
                rc = put_tag(tags[*taken], out);
        }
        if (rc == OK)
                rc = buf_append(out, "", 1);
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

static int digit_of(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The payload's bytes into `out` of BYTES_MAX; their number, or 0 when it is no such text. */
static size_t bytes_of(const char *payload, uint8_t *out)
{
        size_t count = 0;

        for (; payload[0] != '\0'; payload += 2, count++) {
                const int high = digit_of(payload[0]);
                const int low = payload[1] == '\0' ? -1 : digit_of(payload[1]);

                if (high < 0 || low < 0 || count == BYTES_MAX)
                        return 0;
                out[count] = (uint8_t)(high << 4 | low);
        }
        return count;
}

static enum err read_tags(struct cursor *c, uint64_t tag_seed, struct tag_hashes *out)
{
        struct slice tag;
        uint16_t length;
        enum err rc = OK;

        while (rc == OK && cursor_left(c) > 0) {
                if (!cursor_u16(c, &length) || length == 0 || !cursor_take(c, length, &tag))
                        return ERR_PROTOCOL;
                rc = tag_hashes_add(out, tag_hash_encoded(tag, tag_seed));
        }
        return rc;
}

enum err pg_hint_read(const char *payload, uint64_t tag_seed, uint64_t *sender, struct tag_hashes *out)
{
        const size_t before = out->count;
        uint8_t bytes[BYTES_MAX];
        struct cursor c = cursor_of(slice_of(bytes, bytes_of(payload, bytes)));
        uint8_t version;
        enum err rc;

        if (!cursor_u8(&c, &version) || version != VERSION || !cursor_u64(&c, sender))
                return ERR_PROTOCOL;
        rc = read_tags(&c, tag_seed, out);
        if (rc != OK)
                out->count = before;
        return rc;
}
