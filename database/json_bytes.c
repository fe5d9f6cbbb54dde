#include "database/json_bytes.h"

#include "base/cursor.h"

enum byte_class { PLAIN, CONTROL, BACKSLASH, HIGH };

static enum byte_class class_of(uint8_t c)
{
        if (c >= 0x80)
                return HIGH;
        if (c == '\\')
                return BACKSLASH;
        return c >= 0x20 || c == '\n' || c == '\t' || c == '\r' ? PLAIN : CONTROL;
}

static bool wrong_at(struct json_bytes_fault *wrong, enum reject_reason reason, size_t at, const char *what)
{
        *wrong = (struct json_bytes_fault){.reason = reason, .at = at, .what = what};
        return false;
}

static int hex_digit(uint8_t c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number of an escape \uXXXX at `at`; -1 when there stands something else. */
static int escaped_unit(struct slice json, size_t at)
{
        int unit = 0;

        if (json.len - at < 6 || json.data[at] != '\\' || json.data[at + 1] != 'u')
                return -1;
        for (size_t i = at + 2; i < at + 6; i++) {
                int digit = hex_digit(json.data[i]);

                if (digit < 0)
                        return -1;
                unit = unit << 4 | digit;
        }
        return unit;
}

/* The bytes of the escape at `at`, a whole surrogate pair together; 0 when it is half of a pair. Whether the escape is
 * one that JSON knows is the parser's business. A backslash outside of a string is an error in any case, so the bytes
 * behind it matter no more. */
static size_t escape_length(struct slice json, size_t at)
{
        int unit = escaped_unit(json, at);

        if (unit < 0xd800 || unit > 0xdfff)
                return 2;
        if (unit > 0xdbff)
                return 0;
        unit = escaped_unit(json, at + 6);
        return unit >= 0xdc00 && unit <= 0xdfff ? 12 : 0;
}

/* The bytes of the text from `at` on to the next one below 0x80. */
static struct slice high_run(struct slice json, size_t at)
{
        size_t end = at;

        while (end < json.len && json.data[end] >= 0x80)
                end++;
        return slice_of(json.data + at, end - at);
}

/* Whether all of eight bytes are PLAIN, tabs and line breaks aside, which are rare: looked at together, as most of a
 * text is of such. (Mycroft's test for a zero byte, applied to what each class looks like.) */
static bool eight_are_plain(const uint8_t *bytes)
{
        const uint64_t ones = UINT64_C(0x0101010101010101);
        const uint64_t tops = ones << 7;
        uint64_t eight;
        uint64_t backslash;

        memcpy(&eight, bytes, sizeof(eight));
        backslash = eight ^ (ones * '\\');
        return ((eight | (eight - ones * 0x20) | ((backslash - ones) & ~backslash)) & tops) == 0;
}

bool json_bytes_check(struct slice json, struct json_bytes_fault *wrong)
{
        size_t at = 0;
        size_t passed;

        while (at < json.len) {
                if (json.len - at >= 8 && eight_are_plain(json.data + at)) {
                        at += 8;
                        continue;
                }
                switch (class_of(json.data[at])) {
                case PLAIN: passed = 1; break;
                case HIGH:
                        passed = high_run(json, at).len;
                        if (!slice_is_utf8(slice_of(json.data + at, passed)))
                                return wrong_at(wrong, REJECT_ENCODING, at, "not UTF-8");
                        break;
                case BACKSLASH:
                        passed = escape_length(json, at);
                        if (passed == 0)
                                return wrong_at(wrong, REJECT_JSON, at, "half of a surrogate pair");
                        break;
                default:
                        return wrong_at(
                                wrong, REJECT_JSON, at, json.data[at] == 0 ? "a NUL byte" : "a control character");
                }
                at += passed;
        }
        return true;
}

void json_bytes_locate(struct slice json, size_t at, size_t *line, size_t *column)
{
        *line = 1;
        *column = 1;
        for (size_t i = 0; i < at && i < json.len; i++) {
                (*column)++;
                if (json.data[i] == '\n') {
                        (*line)++;
                        *column = 1;
                }
        }
}

/* The bytes of the UTF-8 character that begins the text; 0 when none does. */
static size_t character_length(struct slice text)
{
        for (size_t len = 1; len <= 4 && len <= text.len; len++)
                if (slice_is_utf8(slice_of(text.data, len)))
                        return len;
        return 0;
}

enum err json_bytes_repair(struct slice text, struct buf *out)
{
        size_t before = buf_len(out);
        enum err rc = OK;

        while (rc == OK && text.len > 0) {
                size_t len = character_length(text);

                rc = len > 0 ? buf_append(out, text.data, len) : buf_append_str(out, "\xef\xbf\xbd");
                len = len > 0 ? len : 1;
                text = slice_of(text.data + len, text.len - len);
        }
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
