#include "database/value_json.h"

#include "base/mem.h"
#include "database/json_bytes.h"
#include "database/json_number.h"
#include "database/yajl_memory.h"

#include <yajl/yajl_parse.h>

#include <stdio.h>

/* From JSON to msgpack in one pass, without a tree: yajl calls back for each token, and each call appends to the value.
 *
 * A list's or map's count is known only at its end, but its head stands before its items. Most have few: the head is
 * begun as the one byte that holds a count to 15, and when there are more, the items are moved on to make room for a
 * wider one. That costs one copy for each level with 16 items or more, and gives the shortest form of every head.
 *
 * What yajl takes though it is not JSON (other control characters as white space, broken surrogates, UTF-8 that is not
 * in its shortest form) is refused by json_bytes_check before. Limits, names that occur twice and numbers are looked at
 * as the calls come. */

enum { FEW_MEMBERS = 16 }; /* compared each with each; more are sorted */

/* A member's name, by its place in the value, as the value's block may move. */
struct name {
        size_t at; /* from the start of the reader's output */
        size_t len;
        size_t end; /* of its token in the text */
};

/* A list or map that is not yet complete. */
struct level {
        size_t head;  /* where its head stands, from the start of the reader's output */
        size_t names; /* map: bytes of names of the levels around it */
        uint32_t count;
        bool map;
};

struct reader {
        struct slice json;
        const struct value_json_rules *rules;
        struct buf *out;
        struct value_json_fault *fault;
        struct yajl_memory memory;
        yajl_handle yajl;
        struct buf names; /* struct name of every map that is open */
        struct level levels[VALUE_DEPTH_MAX];
        uint32_t depth;
        uint32_t elements;
        bool at_end; /* yajl knows that there is no more text */
        enum err rc; /* why a callback ended the reading */
};

/* ---- what is wrong ---- */

/* `end` counts the bytes up to and with the one that is wrong. */
static enum err fault_at(struct reader *r, enum reject_reason reason, size_t end, const char *what)
{
        struct value_json_fault *fault = r->fault;

        fault->reason = reason;
        json_bytes_locate(r->json, end == 0 ? 0 : end - 1, &fault->line, &fault->column);
        r->rc = err_set(&fault->msg, reason == REJECT_DEEP || reason == REJECT_LONG ? ERR_LIMIT : ERR_BADVALUE,
                "JSON at line %zu, column %zu: %s", fault->line, fault->column, what);
        return r->rc;
}

/* Bytes of the text up to the end of the token that is looked at. */
static size_t consumed(const struct reader *r)
{
        return r->at_end ? r->json.len : yajl_get_bytes_consumed(r->yajl);
}

/* A callback's result from ours: yajl goes on while it is not 0. */
static int go_on(struct reader *r, enum err rc)
{
        if (r->rc == OK)
                r->rc = rc;
        return r->rc == OK;
}

/* ---- items ---- */

/* Called for each item, before it is appended. */
static enum err count_item(struct reader *r)
{
        char what[64];

        if (r->elements == r->rules->limits.elements) {
                (void)snprintf(what, sizeof(what), "more than %u items", r->rules->limits.elements);
                return fault_at(r, REJECT_LONG, consumed(r), what);
        }
        r->elements++;
        if (r->depth > 0 && !r->levels[r->depth - 1].map)
                r->levels[r->depth - 1].count++;
        return OK;
}

static int on_null(void *context)
{
        struct reader *r = context;
        enum err rc = count_item(r);

        return go_on(r, rc == OK ? value_put_nil(r->out) : rc);
}

static int on_boolean(void *context, int flag)
{
        struct reader *r = context;
        enum err rc = count_item(r);

        return go_on(r, rc == OK ? value_put_bool(r->out, flag != 0) : rc);
}

static int on_string(void *context, const unsigned char *text, size_t len)
{
        struct reader *r = context;
        enum err rc = count_item(r);

        return go_on(r, rc == OK ? value_put_text(r->out, slice_of(text, len)) : rc);
}

static int on_number(void *context, const char *digits, size_t len)
{
        struct reader *r = context;
        struct slice text = slice_of(digits, len);
        struct json_number number;
        enum err rc = count_item(r);

        if (rc != OK)
                return go_on(r, rc);
        if (json_number_read(text, &number))
                rc = number.is_float ? value_put_float(r->out, number.real) : value_put_int(r->out, number.integer);
        else if (r->rules->numbers == VALUE_NUMBERS_OR_TEXT)
                rc = value_put_text(r->out, text);
        else
                rc = fault_at(r, REJECT_JSON, consumed(r) - len + 1,
                        "64 bits cannot hold this number without loss; write it as text");
        return go_on(r, rc);
}

/* ---- names ---- */

static int on_name(void *context, const unsigned char *text, size_t len)
{
        struct reader *r = context;
        struct name name = {.len = len, .end = consumed(r)};
        enum err rc;

        if (memchr(text, '\0', len) != NULL)
                return go_on(r, fault_at(r, REJECT_JSON, name.end, "a member's name has a NUL in it"));
        r->levels[r->depth - 1].count++;
        rc = value_put_text(r->out, slice_of(text, len));
        name.at = buf_len(r->out) - len;
        if (rc == OK)
                rc = buf_append(&r->names, &name, sizeof(name));
        return go_on(r, rc);
}

static struct slice name_text(const struct reader *r, const struct name *name)
{
        return slice_of(buf_slice(r->out).data + name->at, name->len);
}

/* The first of `names` that equals one before it; NULL: all differ. */
static const struct name *find_twin_of_few(const struct reader *r, const struct name *names, uint32_t count)
{
        for (uint32_t i = 1; i < count; i++)
                for (uint32_t k = 0; k < i; k++)
                        if (names[i].len == names[k].len &&
                                slice_equal(name_text(r, &names[i]), name_text(r, &names[k])))
                                return &names[i];
        return NULL;
}

static enum err find_twin_of_many(
        const struct reader *r, const struct name *names, uint32_t count, const struct name **twin)
{
        struct slice *sorted = vc_malloc(count * sizeof(*sorted));
        const struct slice *found;
        bool seen = false;

        if (sorted == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < count; i++)
                sorted[i] = name_text(r, &names[i]);
        found = value_find_twin(sorted, count);
        for (uint32_t i = 0; found != NULL && *twin == NULL; i++) {
                bool same = slice_equal(name_text(r, &names[i]), *found);

                if (same && seen)
                        *twin = &names[i];
                seen = seen || same;
        }
        vc_free(sorted);
        return OK;
}

static enum err refuse_twins(struct reader *r, const struct level *level)
{
        const struct name *names;
        const struct name *twin = NULL;
        enum err rc = OK;

        if (level->count < 2)
                return OK;
        names = (const struct name *)(const void *)(r->names.data + level->names);
        if (level->count <= FEW_MEMBERS)
                twin = find_twin_of_few(r, names, level->count);
        else
                rc = find_twin_of_many(r, names, level->count, &twin);
        if (twin != NULL)
                rc = fault_at(r, REJECT_JSON, twin->end, "the object has a member of this name already");
        return rc;
}

/* ---- lists and maps ---- */

static enum err open_level(struct reader *r, bool map)
{
        const uint8_t head = map ? 0x80 : 0x90;
        char what[64];
        enum err rc = count_item(r);

        if (rc != OK)
                return rc;
        if (r->depth == r->rules->limits.depth) {
                (void)snprintf(what, sizeof(what), "nested deeper than %u", r->rules->limits.depth);
                return fault_at(r, REJECT_DEEP, consumed(r), what);
        }
        r->levels[r->depth] = (struct level){.head = buf_len(r->out), .names = buf_len(&r->names), .map = map};
        r->depth++;
        return buf_append(r->out, &head, 1);
}

/* Writes the count into the head, which grows first if it must. */
static enum err write_count(struct reader *r, const struct level *level)
{
        size_t wider = level->count > UINT16_MAX ? 4 : 2;
        size_t items = buf_len(r->out) - level->head - 1;
        uint8_t *head;
        enum err rc;

        if (level->count < 16) {
                r->out->data[r->out->start + level->head] |= (uint8_t)level->count;
                return OK;
        }
        rc = buf_reserve(r->out, wider);
        if (rc != OK)
                return rc;
        buf_added(r->out, wider);
        head = r->out->data + r->out->start + level->head;
        memmove(head + 1 + wider, head + 1, items);
        head[0] = (uint8_t)((level->map ? 0xde : 0xdc) + (wider == 4 ? 1 : 0));
        for (size_t i = 0; i < wider; i++)
                head[1 + i] = (uint8_t)(level->count >> (8 * (wider - 1 - i)));
        return OK;
}

static int close_level(struct reader *r)
{
        const struct level *level = &r->levels[--r->depth];
        enum err rc = level->map ? refuse_twins(r, level) : OK;

        buf_truncate(&r->names, level->names);
        return go_on(r, rc == OK ? write_count(r, level) : rc);
}

static int on_map_start(void *context)
{
        return go_on(context, open_level(context, true));
}

static int on_list_start(void *context)
{
        return go_on(context, open_level(context, false));
}

static int on_end(void *context)
{
        return close_level(context);
}

/* ---- reading ---- */

static const yajl_callbacks CALLBACKS = {.yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_map_start,
        .yajl_map_key = on_name,
        .yajl_end_map = on_end,
        .yajl_start_array = on_list_start,
        .yajl_end_array = on_end};

/* yajl's own words for what is wrong, without "parse error: " before and what ends a sentence after. */
static enum err explain(struct reader *r)
{
        char text[128];
        unsigned char *said = yajl_get_error(r->yajl, 0, NULL, 0);
        const char *colon = strstr((const char *)said, ": ");

        (void)snprintf(text, sizeof(text), "%s", colon == NULL ? (const char *)said : colon + 2);
        text[strcspn(text, "\n")] = '\0';
        if (text[0] != '\0' && text[strlen(text) - 1] == '.')
                text[strlen(text) - 1] = '\0';
        return fault_at(r, REJECT_JSON, consumed(r), text);
}

static enum err parse(struct reader *r)
{
        yajl_status status;

        r->yajl = yajl_alloc(&CALLBACKS, &r->memory.functions, r);
        (void)yajl_config(r->yajl, yajl_dont_validate_strings, 1); /* json_bytes_check has */
        status = yajl_parse(r->yajl, r->json.data, r->json.len);
        if (status == yajl_status_ok) {
                r->at_end = true;
                status = yajl_complete_parse(r->yajl);
        }
        return status == yajl_status_error ? explain(r) : r->rc;
}

/* Comes back a second time when yajl's memory ran out. */
static enum err parse_or_run_out(struct reader *r)
{
        if (setjmp(r->memory.ran_out) != 0)
                return ERR_NOMEM;
        return parse(r);
}

static enum err check_text(struct reader *r)
{
        struct json_bytes_fault wrong;

        if (r->json.len > r->rules->limits.bytes) {
                r->fault->reason = REJECT_LONG;
                r->fault->line = r->fault->column = 1;
                return err_set(&r->fault->msg, ERR_LIMIT, "the JSON text has %zu bytes; at most %zu are allowed",
                        r->json.len, r->rules->limits.bytes);
        }
        if (!json_bytes_check(r->json, &wrong))
                return fault_at(r, wrong.reason, wrong.at + 1, wrong.what);
        return OK;
}

static enum err read_text(struct reader *r)
{
        enum err rc = check_text(r);

        if (rc != OK)
                return rc;
        buf_init(&r->names, 0);
        yajl_memory_init(&r->memory);
        rc = parse_or_run_out(r);
        yajl_memory_deinit(&r->memory);
        buf_deinit(&r->names);
        return rc;
}

enum err value_from_json_text(
        struct slice json, const struct value_json_rules *rules, struct buf *out, struct value_json_fault *fault)
{
        struct reader r;
        size_t before = buf_len(out);
        enum err rc;

        VC_ASSERT(rules->limits.depth <= VALUE_DEPTH_MAX);
        *fault = (struct value_json_fault){.reason = REJECT_LONG, .line = 1, .column = 1};
        r.json = json.data == NULL ? slice_str("") : json;
        r.rules = rules;
        r.out = out;
        r.fault = fault;
        r.depth = 0;
        r.elements = 0;
        r.at_end = false;
        r.rc = OK;
        rc = read_text(&r);
        if (rc == OK)
                return OK;
        buf_truncate(out, before);
        if (rc == ERR_NOMEM)
                return err_set(&fault->msg, rc, "out of memory reading %zu bytes of JSON", json.len);
        if (fault->msg.text[0] == '\0')
                err_set(&fault->msg, rc, "the value is longer than its buffer may be");
        return rc;
}

enum err value_from_json(struct slice json, const struct value_limits *limits, struct buf *out, struct err_msg *msg)
{
        const struct value_json_rules rules = {.limits = *limits, .numbers = VALUE_NUMBERS_EXACT};
        struct value_json_fault fault;
        enum err rc = value_from_json_text(json, &rules, out, &fault);

        return rc == OK ? OK : err_set(msg, rc, "%s", fault.msg.text);
}
