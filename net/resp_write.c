#include "net/resp_write.h"

#include "base/hot.h"

#include <stdarg.h>
#include <stdio.h>

enum { NUMBER_TEXT_MAX = 32, ERROR_TEXT_MAX = 400, SHORT_TEXT_MAX = 512 };

static void append(struct resp_writer *w, const void *bytes, size_t len)
{
        if (w->failed == OK)
                w->failed = buf_append(w->out, bytes, len);
}

/* Makes the output longer by `len` bytes, for the caller to write. NULL: there is no room. */
static uint8_t *extend(struct resp_writer *w, size_t len)
{
        struct buf *out = w->out;

        if (!buf_fits(out, len) && w->failed == OK)
                w->failed = buf_reserve(out, len);
        if (w->failed != OK)
                return NULL;
        out->end += len;
        return out->data + out->end - len;
}

static size_t digits_of(uint64_t number)
{
        size_t digits = 1;

        for (; number >= 10000; number /= 10000)
                digits += 4;
        return digits + (number >= 10) + (number >= 100) + (number >= 1000);
}

/* The digits by pairs and CRLF, written from the right: printf costs more than the rest of a reply. Returns what
 * follows. */
static uint8_t *put_line(uint8_t *at, uint64_t number, size_t digits)
{
        static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                    "8081828384858687888990919293949596979899";
        uint8_t *end = at + digits;

        uint8_t *to = end;

        for (; to - at >= 2; number /= 100)
                memcpy(to -= 2, pairs + 2 * (number % 100), 2);
        if (to > at)
                *at = (uint8_t)('0' + number);
        *end++ = '\r';
        *end++ = '\n';
        return end;
}

/* "<type><number>\r\n" */
static void number_line(struct resp_writer *w, char type, int64_t value)
{
        uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        size_t digits = digits_of(magnitude);
        uint8_t *at = extend(w, (value < 0 ? 2u : 1u) + digits + 2);

        if (at == NULL)
                return;
        *at++ = (uint8_t)type;
        if (value < 0)
                *at++ = '-';
        (void)put_line(at, magnitude, digits);
}

static void head(struct resp_writer *w, char type, size_t count)
{
        number_line(w, type, (int64_t)count);
}

void resp_simple(struct resp_writer *w, const char *text)
{
        append(w, "+", 1);
        append(w, text, strlen(text));
        append(w, "\r\n", 2);
}

/* Control bytes would end the error line or play tricks on a terminal. Returns the length of the escape in `out`. */
static size_t visible(uint8_t byte, char out[5])
{
        if (byte >= 0x20 && byte != 0x7f) {
                out[0] = (char)byte;
                return 1;
        }
        (void)snprintf(out, 5, "\\x%02x", byte);
        return 4;
}

COLD_PATH void resp_error(struct resp_writer *w, enum err code, const char *text)
{
        char line[ERROR_TEXT_MAX + 8];
        size_t used = 0;

        for (const char *at = text; *at != '\0' && used < ERROR_TEXT_MAX; at++) {
                char escape[5];
                size_t len = visible((uint8_t)*at, escape);

                memcpy(line + used, escape, len);
                used += len;
        }
        append(w, "-", 1);
        append(w, err_word(code), strlen(err_word(code)));
        append(w, " ", 1);
        append(w, line, used);
        append(w, "\r\n", 2);
}

void resp_int(struct resp_writer *w, int64_t value)
{
        number_line(w, ':', value);
}

void resp_bulk(struct resp_writer *w, struct slice bytes)
{
        size_t digits = digits_of(bytes.len);
        uint8_t *at = extend(w, 1 + digits + 2 + bytes.len + 2);

        if (at == NULL)
                return;
        *at++ = '$';
        at = put_line(at, bytes.len, digits);
        if (bytes.len > 0)
                memcpy(at, bytes.data, bytes.len);
        at[bytes.len] = '\r';
        at[bytes.len + 1] = '\n';
}

void resp_bulk_str(struct resp_writer *w, const char *text)
{
        resp_bulk(w, slice_str(text));
}

void resp_bulk_printf(struct resp_writer *w, const char *format, ...)
{
        char text[SHORT_TEXT_MAX];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        resp_bulk_str(w, text);
}

void resp_text(struct resp_writer *w, struct slice text)
{
        if (w->proto < 3) {
                resp_bulk(w, text);
                return;
        }
        head(w, '=', text.len + 4);
        append(w, "txt:", 4);
        append(w, text.data, text.len);
        append(w, "\r\n", 2);
}

void resp_nil(struct resp_writer *w)
{
        if (w->proto < 3)
                append(w, "$-1\r\n", 5);
        else
                append(w, "_\r\n", 3);
}

void resp_bool(struct resp_writer *w, bool value)
{
        if (w->proto < 3)
                resp_int(w, value ? 1 : 0);
        else
                append(w, value ? "#t\r\n" : "#f\r\n", 4);
}

void resp_double(struct resp_writer *w, double value)
{
        char text[NUMBER_TEXT_MAX];
        int len = snprintf(text, sizeof(text), "%.6g", value);

        VC_ASSERT(len > 0 && (size_t)len < sizeof(text));
        if (w->proto < 3) {
                resp_bulk(w, slice_of(text, (size_t)len));
                return;
        }
        append(w, ",", 1);
        append(w, text, (size_t)len);
        append(w, "\r\n", 2);
}

void resp_array(struct resp_writer *w, size_t elements)
{
        head(w, '*', elements);
}

void resp_map(struct resp_writer *w, size_t pairs)
{
        if (w->proto < 3)
                head(w, '*', pairs * 2);
        else
                head(w, '%', pairs);
}

void resp_set(struct resp_writer *w, size_t elements)
{
        head(w, w->proto < 3 ? '*' : '~', elements);
}

void resp_push(struct resp_writer *w, size_t elements)
{
        head(w, w->proto < 3 ? '*' : '>', elements);
}

void resp_member_int(struct resp_writer *w, const char *name, int64_t value)
{
        resp_bulk_str(w, name);
        resp_int(w, value);
}

void resp_member_count(struct resp_writer *w, const char *name, uint64_t value)
{
        resp_member_int(w, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void resp_member_str(struct resp_writer *w, const char *name, const char *text)
{
        resp_bulk_str(w, name);
        resp_bulk_str(w, text);
}

void resp_member_bool(struct resp_writer *w, const char *name, bool value)
{
        resp_bulk_str(w, name);
        resp_bool(w, value);
}

void resp_raw(struct resp_writer *w, struct slice bytes)
{
        append(w, bytes.data, bytes.len);
}

void resp_rewind(struct resp_writer *w, size_t mark)
{
        if (buf_len(w->out) > mark)
                buf_truncate(w->out, mark);
        w->failed = OK;
}
