#include "database/value_json.h"

#include "base/mem.h"

#include <jansson.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- to JSON ---- */

static enum err write_escape(struct buf *out, uint8_t c)
{
        switch (c) {
        case '"': return buf_append(out, "\\\"", 2);
        case '\\': return buf_append(out, "\\\\", 2);
        case '\n': return buf_append(out, "\\n", 2);
        case '\r': return buf_append(out, "\\r", 2);
        case '\t': return buf_append(out, "\\t", 2);
        default: return buf_printf(out, "\\u%04x", c);
        }
}

/* Runs without anything to escape, which most texts are from end to end, are copied whole. */
static enum err write_text(struct buf *out, struct slice text)
{
        size_t run = 0;
        enum err rc = buf_append(out, "\"", 1);

        for (size_t i = 0; rc == OK && i < text.len; i++) {
                uint8_t c = text.data[i];

                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                rc = buf_append(out, text.data + run, i - run);
                if (rc == OK)
                        rc = write_escape(out, c);
                run = i + 1;
        }
        if (rc == OK && run < text.len)
                rc = buf_append(out, text.data + run, text.len - run);
        return rc == OK ? buf_append(out, "\"", 1) : rc;
}

/* The fewest digits that read back as the same float: 15 always survive a trip through text, 17 always suffice. A float
 * without a fraction keeps its ".0", so that it comes back as a float. */
static enum err write_float(struct buf *out, double real)
{
        char text[32];
        enum err rc;

        for (int digits = 15; digits <= 17; digits++) {
                (void)snprintf(text, sizeof(text), "%.*g", digits, real);
                if (strtod(text, NULL) == real)
                        break;
        }
        rc = buf_append_str(out, text);
        if (rc == OK && strpbrk(text, ".e") == NULL)
                rc = buf_append_str(out, ".0");
        return rc;
}

static enum err write_item(struct buf *out, struct cursor *c, uint32_t depth);

static enum err write_children(struct buf *out, struct cursor *c, const struct value *v, uint32_t depth)
{
        bool map = v->kind == VALUE_MAP;
        enum err rc = buf_append(out, map ? "{" : "[", 1);

        for (uint32_t i = 0; rc == OK && i < v->as.count; i++) {
                struct value key;

                if (i > 0)
                        rc = buf_append(out, ",", 1);
                if (rc == OK && map) {
                        if (!value_read(c, &key) || key.kind != VALUE_TEXT)
                                return ERR_CORRUPT;
                        rc = write_text(out, key.as.text);
                        if (rc == OK)
                                rc = buf_append(out, ":", 1);
                }
                if (rc == OK)
                        rc = write_item(out, c, depth + 1);
        }
        return rc == OK ? buf_append(out, map ? "}" : "]", 1) : rc;
}

static enum err write_item(struct buf *out, struct cursor *c, uint32_t depth)
{
        struct value v;

        if (depth > VALUE_DEPTH_MAX || !value_read(c, &v))
                return ERR_CORRUPT;
        switch (v.kind) {
        case VALUE_NIL: return buf_append(out, "null", 4);
        case VALUE_BOOL: return v.as.flag ? buf_append(out, "true", 4) : buf_append(out, "false", 5);
        case VALUE_INT: return buf_printf(out, "%lld", (long long)v.as.integer);
        case VALUE_FLOAT: return write_float(out, v.as.real);
        case VALUE_TEXT: return write_text(out, v.as.text);
        case VALUE_LIST:
        case VALUE_MAP: return write_children(out, c, &v, depth);
        }
        return ERR_INTERNAL;
}

enum err value_to_json(struct slice value, struct buf *out)
{
        struct cursor c = cursor_of(value);
        size_t before = buf_len(out);
        enum err rc = write_item(out, &c, 0);

        if (rc == OK && cursor_left(&c) > 0)
                rc = ERR_CORRUPT;
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}

/* ---- from JSON ----
 *
 * jansson parses, and refuses what is not JSON, twin members and integers past int64. Two things it cannot tell are
 * found by a scan of the text before it: nesting (jansson's own limit is fixed), and digits of a fraction that a float
 * does not keep. The scan looks at strings, brackets and numbers only; what else may be wrong is left to jansson. */

struct scan {
        struct slice json;
        const struct value_limits *limits;
        struct err_msg *msg;
        uint32_t depth;
};

/* Line and column (in bytes) of a place in the text, both from 1. */
static void locate(struct slice json, size_t at, size_t *line, size_t *column)
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

static enum err bad_json(const struct scan *s, enum err code, size_t at, const char *what)
{
        size_t line;
        size_t column;

        locate(s->json, at, &line, &column);
        return err_set(s->msg, code, "JSON at line %zu, column %zu: %s", line, column, what);
}

static size_t skip_string(struct slice json, size_t at)
{
        for (at++; at < json.len && json.data[at] != '"'; at++)
                if (json.data[at] == '\\')
                        at++;
        return at + 1;
}

static bool is_number_byte(uint8_t c)
{
        return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

enum { DIGITS_MAX = 17 }; /* more than a 64-bit float ever needs */

/* The significant digits of a decimal number: those between the first and the last that are not 0. False when there are
 * more than DIGITS_MAX. */
static bool significant_digits(const char *number, size_t len, char *digits)
{
        size_t count = 0;
        size_t zeros = 0; /* seen since the last digit kept: they count once another digit follows */

        for (size_t i = 0; i < len && number[i] != 'e' && number[i] != 'E'; i++) {
                if (number[i] < '0' || number[i] > '9' || (number[i] == '0' && count == 0))
                        continue;
                if (number[i] == '0') {
                        zeros++;
                        continue;
                }
                if (zeros > DIGITS_MAX || count + zeros + 1 > DIGITS_MAX)
                        return false;
                memset(digits + count, '0', zeros);
                count += zeros;
                zeros = 0;
                digits[count++] = number[i];
        }
        digits[count] = '\0';
        return true;
}

/* Whether a number with a fraction or exponent is the same after a trip through a float: the float, printed with as
 * many digits as were given, must show them again. (The exponent then fits as well: overflow
 * shows as infinity, underflow as 0.) */
static bool float_keeps(const char *number, size_t len)
{
        char given[DIGITS_MAX + 1];
        char kept[DIGITS_MAX + 1];
        char printed[40];
        double real = strtod(number, NULL);

        if (!significant_digits(number, len, given) || !isfinite(real))
                return false;
        if (given[0] == '\0')
                return true;
        (void)snprintf(printed, sizeof(printed), "%.*e", (int)strlen(given) - 1, real);
        return significant_digits(printed, strlen(printed), kept) && strcmp(given, kept) == 0;
}

static enum err scan_number(const struct scan *s, size_t *at)
{
        enum { NUMBER_MAX = 400 }; /* the exponent reaches 308 */
        char number[NUMBER_MAX + 1];
        size_t start = *at;
        size_t len;

        while (*at < s->json.len && is_number_byte(s->json.data[*at]))
                (*at)++;
        len = *at - start;
        if (len > NUMBER_MAX)
                return bad_json(s, ERR_BADVALUE, start, "the number is too long; write it as text");
        memcpy(number, s->json.data + start, len);
        number[len] = '\0';
        if (strpbrk(number, ".eE") != NULL && !float_keeps(number, len))
                return bad_json(s, ERR_BADVALUE, start,
                        "a 64-bit float cannot hold this number without loss; write it as text");
        return OK;
}

static enum err scan_open(struct scan *s, size_t at)
{
        if (s->depth >= s->limits->depth)
                return err_set(s->msg, ERR_LIMIT, "JSON at byte %zu: nested deeper than %u", at, s->limits->depth);
        s->depth++;
        return OK;
}

static enum err scan_json(struct scan *s)
{
        size_t at = 0;
        enum err rc = OK;

        while (rc == OK && at < s->json.len) {
                uint8_t c = s->json.data[at];

                if (c == '"') {
                        at = skip_string(s->json, at);
                } else if (c == '-' || (c >= '0' && c <= '9')) {
                        rc = scan_number(s, &at);
                } else {
                        if (c == '[' || c == '{')
                                rc = scan_open(s, at);
                        else if ((c == ']' || c == '}') && s->depth > 0)
                                s->depth--;
                        at++;
                }
        }
        return rc;
}

struct packing {
        struct buf *out;
        uint32_t elements_left;
};

static enum err pack_json(struct packing *p, const json_t *json);

static enum err pack_object(struct packing *p, const json_t *json)
{
        const char *key;
        json_t *member;
        enum err rc = value_put_map(p->out, (uint32_t)json_object_size(json));

        json_object_foreach((json_t *)json, key, member)
        {
                if (rc == OK)
                        rc = value_put_str(p->out, key);
                if (rc == OK)
                        rc = pack_json(p, member);
        }
        return rc;
}

static enum err pack_array(struct packing *p, const json_t *json)
{
        size_t count = json_array_size(json);
        enum err rc = value_put_list(p->out, (uint32_t)count);

        for (size_t i = 0; rc == OK && i < count; i++)
                rc = pack_json(p, json_array_get(json, i));
        return rc;
}

static enum err pack_json(struct packing *p, const json_t *json)
{
        if (p->elements_left == 0)
                return ERR_LIMIT;
        p->elements_left--;
        switch (json_typeof(json)) {
        case JSON_OBJECT: return pack_object(p, json);
        case JSON_ARRAY: return pack_array(p, json);
        case JSON_STRING: return value_put_text(p->out, slice_of(json_string_value(json), json_string_length(json)));
        case JSON_INTEGER: return value_put_int(p->out, json_integer_value(json));
        case JSON_REAL: return value_put_float(p->out, json_real_value(json));
        case JSON_TRUE: return value_put_bool(p->out, true);
        case JSON_FALSE: return value_put_bool(p->out, false);
        case JSON_NULL: return value_put_nil(p->out);
        }
        return ERR_INTERNAL;
}

/* jansson may report a failed allocation as a syntax error at that place, or pass over it. So its allocator, which goes
 * through our hook, remembers that one failed on this thread, and whatever jansson says then is not believed. */
static bool *memory_ran_out(void)
{
        static _Thread_local bool ran_out;

        return &ran_out;
}

static void *jansson_malloc(size_t size)
{
        void *block = vc_malloc(size);

        if (block == NULL)
                *memory_ran_out() = true;
        return block;
}

static void use_our_memory(void)
{
        json_set_alloc_funcs(jansson_malloc, vc_free);
}

static enum err parse_json(struct slice json, json_t **out, struct err_msg *msg)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        json_error_t error;
        const char *quoted;

        (void)pthread_once(&once, use_our_memory);
        *memory_ran_out() = false;
        *out = json_loadb(json.len == 0 ? "" : (const char *)json.data, json.len,
                JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        if (*memory_ran_out()) {
                json_decref(*out);
                return err_set(msg, ERR_NOMEM, "out of memory reading %zu bytes of JSON", json.len);
        }
        if (*out != NULL)
                return OK;
        quoted = strstr(error.text, " near '"); /* what follows is the sender's text, maybe a patient's */
        return err_set(msg, ERR_BADVALUE, "JSON at line %d, column %d: %.*s", error.line, error.column,
                quoted == NULL ? (int)sizeof(error.text) : (int)(quoted - error.text), error.text);
}

enum err value_from_json(struct slice json, const struct value_limits *limits, struct buf *out, struct err_msg *msg)
{
        struct scan scan = {.json = json, .limits = limits, .msg = msg, .depth = 0};
        struct packing packing = {.out = out, .elements_left = limits->elements};
        size_t before = buf_len(out);
        json_t *root = NULL;
        enum err rc;

        VC_ASSERT(limits->depth <= VALUE_DEPTH_MAX);
        if (json.len > limits->bytes)
                return err_set(msg, ERR_LIMIT, "the JSON text has %zu bytes; at most %zu are allowed", json.len,
                        limits->bytes);
        rc = scan_json(&scan);
        if (rc == OK)
                rc = parse_json(json, &root, msg);
        if (rc != OK)
                return rc;
        rc = pack_json(&packing, root);
        json_decref(root);
        if (rc == ERR_LIMIT)
                err_set(msg, rc, "the value has more than %u items, or its buffer is full", limits->elements);
        else if (rc != OK)
                err_set(msg, rc, "out of memory");
        if (rc != OK)
                buf_truncate(out, before);
        return rc;
}
