#include "base/cursor.h"

bool cursor_u16(struct cursor *c, uint16_t *out)
{
        struct slice s;

        if (!cursor_take(c, 2, &s))
                return false;
        *out = (uint16_t)(s.data[0] << 8 | s.data[1]);
        return true;
}

bool cursor_u32(struct cursor *c, uint32_t *out)
{
        uint16_t high;
        uint16_t low;

        if (cursor_left(c) < 4 || !cursor_u16(c, &high) || !cursor_u16(c, &low))
                return false;
        *out = (uint32_t)high << 16 | low;
        return true;
}

bool cursor_u64(struct cursor *c, uint64_t *out)
{
        uint32_t high;
        uint32_t low;

        if (cursor_left(c) < 8 || !cursor_u32(c, &high) || !cursor_u32(c, &low))
                return false;
        *out = (uint64_t)high << 32 | low;
        return true;
}

bool cursor_until(struct cursor *c, uint8_t delimiter, struct slice *out)
{
        const uint8_t *found;

        if (c->at == c->end)
                return false;
        found = memchr(c->at, delimiter, cursor_left(c));
        if (found == NULL)
                return false;
        *out = slice_of(c->at, (size_t)(found - c->at));
        c->at = found + 1;
        return true;
}

bool slice_to_u64(struct slice text, uint64_t *out)
{
        uint64_t value = 0;

        if (text.len == 0 || (text.data[0] == '0' && text.len > 1))
                return false;
        for (size_t i = 0; i < text.len; i++) {
                uint8_t digit = (uint8_t)(text.data[i] - '0');

                if (digit > 9 || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                        __builtin_add_overflow(value, (uint64_t)digit, &value))
                        return false;
        }
        *out = value;
        return true;
}

bool slice_to_i64(struct slice text, int64_t *out)
{
        uint64_t magnitude;
        bool negative = text.len > 0 && text.data[0] == '-';

        if (negative)
                text = slice_of(text.data + 1, text.len - 1);
        if (!slice_to_u64(text, &magnitude))
                return false;
        if (negative && magnitude == 0) /* "-0" is not how 0 is printed */
                return false;
        if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
                return false;
        *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return true;
}

/* How many continuation bytes follow the lead byte; 4 for a byte that cannot lead. */
static size_t utf8_tail(uint8_t lead)
{
        if (lead < 0x80)
                return 0;
        if (lead >= 0xc2 && lead <= 0xdf)
                return 1;
        if (lead >= 0xe0 && lead <= 0xef)
                return 2;
        if (lead >= 0xf0 && lead <= 0xf4)
                return 3;
        return 4;
}

/* The second byte's range is narrower after four lead bytes: shortest form, surrogates, the end of Unicode. */
static bool utf8_second_fits(uint8_t lead, uint8_t second)
{
        if (lead == 0xe0)
                return second >= 0xa0;
        if (lead == 0xed)
                return second <= 0x9f;
        if (lead == 0xf0)
                return second >= 0x90;
        if (lead == 0xf4)
                return second <= 0x8f;
        return true;
}

/* Eight bytes in one word, the same in each. */
#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t load_eight(const uint8_t *at)
{
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return word;
}

/* Nearly all text is ASCII, so it is passed eight bytes at a time. */
static void pass_ascii(struct cursor *c)
{
        while (cursor_left(c) >= 8 && (load_eight(c->at) & EIGHT(0x80)) == 0)
                c->at += 8;
        while (cursor_left(c) > 0 && *c->at < 0x80)
                c->at++;
}

bool slice_is_utf8(struct slice text)
{
        struct cursor c = cursor_of(text);
        struct slice tail;
        uint8_t lead;

        for (pass_ascii(&c); cursor_u8(&c, &lead); pass_ascii(&c)) {
                size_t more = utf8_tail(lead);

                if (more == 4 || !cursor_take(&c, more, &tail))
                        return false;
                if (more > 0 && !utf8_second_fits(lead, tail.data[0]))
                        return false;
                for (size_t i = 0; i < more; i++)
                        if ((tail.data[i] & 0xc0) != 0x80)
                                return false;
        }
        return true;
}

/* A byte below 0x20 is one that borrows when 0x20 is taken from it and had no high bit itself (S. E. Anderson, "Bit
 * Twiddling Hacks", hasless). */
bool slice_has_control(struct slice text)
{
        struct cursor c = cursor_of(text);

        for (; cursor_left(&c) >= 8; c.at += 8)
                if (((load_eight(c.at) - EIGHT(0x20)) & ~load_eight(c.at) & EIGHT(0x80)) != 0)
                        return true;
        for (; cursor_left(&c) > 0; c.at++)
                if (*c.at < 0x20)
                        return true;
        return false;
}
