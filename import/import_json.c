#include "import/import_json.h"

#include "base/mem.h"
#include "import/fhir_bundle.h"
#include "import/import_own.h"
#include "import/import_prefix.h"
#include "database/json_bytes.h"
#include "import/json_split.h"
#include "database/value_json.h"

enum {
        LEVELS = 2,           /* a line of a rejects file may hold text that is a value; that holds no further one */
        ORIGIN_MAX = 1 << 20, /* bytes of unreadable text that a rejects file is given */
        KEEP = 1 << 20,       /* bytes that a buffer may hold on to from value to value */
        ITEM_BYTES = 16, /* of a value's limit, for each item that it may have: what is read takes memory by item */
        ITEMS_LEAST = 1 << 16
};

struct import_json {
        struct import_json_config config;
        struct json_split *split;
        struct fhir_mapper *mapper;
        struct buf values[LEVELS]; /* what texts were read into */
        struct buf text;           /* a value's text without space */
        struct buf row;
        struct buf bare; /* a row before its ids have their prefix */
};

/* A value on its way. */
struct arrival {
        struct json_part part;
        uint64_t line;
        unsigned level; /* of import->values */
        bool mended;    /* it was the origin in a line of a rejects file */
        bool prefixed;  /* if it is a row, its ids have their prefix already */
};

static enum err take(struct import_json *import, const struct arrival *arrival);

/* ---- what is left out ---- */

static enum err leave_out(
        struct import_json *import, uint64_t line, const struct reject *reject, const char *table, struct slice origin)
{
        const struct import_bad bad = {.line = line, .reject = *reject, .table = table, .origin = origin};

        return import->config.sink.bad(import->config.sink.context, &bad);
}

/* With the value itself as origin. */
static enum err leave_out_value(
        struct import_json *import, const struct arrival *arrival, const struct reject *reject, const char *table)
{
        enum err rc;

        buf_truncate(&import->text, 0);
        rc = json_part_compact(arrival->part.text, &import->text);
        return rc == OK ? leave_out(import, arrival->line, reject, table, buf_slice(&import->text)) : rc;
}

/* Appends {"text": …}; what is not UTF-8 becomes U+FFFD. */
static enum err put_text_origin(struct slice text, struct buf *out)
{
        struct buf sound;
        enum err rc = buf_append_str(out, "{\"text\":");

        buf_init(&sound, 0);
        if (rc == OK)
                rc = json_bytes_repair(text, &sound);
        if (rc == OK)
                rc = value_text_to_json(buf_slice(&sound), out);
        buf_deinit(&sound);
        return rc == OK ? buf_append_str(out, "}") : rc;
}

static enum err leave_out_text(struct import_json *import, uint64_t line, enum reject_reason reason, struct slice text)
{
        const struct reject reject = reject_of(reason, NULL);
        enum err rc = OK;

        buf_truncate(&import->text, 0);
        if (text.len > 0 && text.len <= ORIGIN_MAX)
                rc = put_text_origin(text, &import->text);
        return rc == OK ? leave_out(import, line, &reject, NULL, buf_slice(&import->text)) : rc;
}

/* ---- own lines ---- */

static enum err give_row(struct import_json *import, const struct arrival *arrival, const char *table)
{
        const struct import_item item = {.table = table, .line = arrival->line, .row = buf_slice(&import->row)};

        return import->config.sink.item(import->config.sink.context, &item);
}

/* The row, with its ids prefixed. */
static enum err take_row(
        struct import_json *import, const struct arrival *arrival, const char **table, struct reject *reject)
{
        struct slice prefix = arrival->prefixed ? SLICE_EMPTY : import->config.prefix;
        enum err rc;

        buf_truncate(&import->bare, 0);
        rc = import_own_row(&arrival->part, import->config.names, table, &import->bare, reject);
        return rc == OK ? import_prefix_put(*table, buf_slice(&import->bare), prefix, &import->row) : rc;
}

static enum err take_own(struct import_json *import, const struct arrival *arrival, enum import_own_kind kind)
{
        const struct import_own_cells cells = {
                .value = arrival->part.value, .prefix = import->config.prefix, .today = import->config.today};
        struct reject reject;
        const char *table;
        enum err rc;

        buf_truncate(&import->row, 0);
        if (kind == IMPORT_OWN_ROW)
                rc = take_row(import, arrival, &table, &reject);
        else
                rc = import_own_cells(&cells, &table, &import->row, &reject);
        if (rc == ERR_BADVALUE)
                return leave_out_value(import, arrival, &reject, table);
        return rc == OK ? give_row(import, arrival, table) : rc;
}

/* ---- resources ---- */

static enum err take_resource(struct import_json *import, const struct arrival *arrival)
{
        const struct fhir_bundle bundle = {
                .part = arrival->part, .line = arrival->line, .prefix = import->config.prefix};
        struct fhir_resource resource = {
                .value = arrival->part.value, .line = arrival->line, .prefix = import->config.prefix};
        enum err rc;

        if (fhir_bundle_is(arrival->part.value))
                return fhir_bundle_to_rows(import->mapper, &bundle, &import->config.sink);
        buf_truncate(&import->text, 0);
        rc = json_part_compact(arrival->part.text, &import->text);
        resource.text = buf_slice(&import->text);
        return rc == OK ? fhir_to_rows(import->mapper, &resource, &import->config.sink) : rc;
}

/* ---- values ---- */

static struct value_json_rules rules_of(const struct import_json *import)
{
        size_t items = import->config.value_max / ITEM_BYTES;

        if (items < ITEMS_LEAST)
                items = ITEMS_LEAST;
        return (struct value_json_rules){.limits = {.bytes = import->config.value_max,
                                                 .depth = VALUE_DEPTH_MAX,
                                                 .elements = items > UINT32_MAX ? UINT32_MAX : (uint32_t)items},
                .numbers = VALUE_NUMBERS_OR_TEXT};
}

static enum err take_text(struct import_json *import, struct slice text, const struct arrival *about)
{
        const struct value_json_rules rules = rules_of(import);
        struct buf *value = &import->values[about->level];
        struct arrival arrival = *about;
        struct value_json_fault fault;
        enum err rc;

        buf_truncate(value, 0);
        rc = value_from_json_text(text, &rules, value, &fault);
        if (rc == ERR_BADVALUE || rc == ERR_LIMIT)
                return leave_out_text(import, about->line + fault.line - 1, fault.reason, text);
        arrival.part = (struct json_part){.value = buf_slice(value), .text = text};
        rc = rc == OK ? take(import, &arrival) : rc;
        buf_truncate(value, 0);
        buf_shrink(value, KEEP);
        return rc;
}

/* What a line of a rejects file was made of. */
static enum err take_origin(struct import_json *import, const struct arrival *reject_line)
{
        struct arrival arrival = *reject_line;

        arrival.mended = true;
        arrival.prefixed = true; /* a row there is as the server would have got it */
        if (!json_part_member(&reject_line->part, "origin", &arrival.part))
                return ERR_INTERNAL;
        return take(import, &arrival);
}

/* Text that could not be read, and may be better now. */
static enum err take_mended_text(struct import_json *import, const struct arrival *arrival, struct slice text)
{
        const struct arrival inner = {.line = arrival->line, .level = arrival->level + 1, .mended = true};

        return take_text(import, text, &inner);
}

static bool is_reject_line(const struct arrival *arrival)
{
        struct slice item;

        return !arrival->mended && value_member(arrival->part.value, "reason", &item) &&
               value_member(arrival->part.value, "origin", &item);
}

static enum err take(struct import_json *import, const struct arrival *arrival)
{
        const struct reject reject = reject_of(REJECT_LINE, NULL);
        enum import_own_kind kind = import_own_kind(arrival->part.value);
        struct slice item;
        struct value head;

        if (!value_of(arrival->part.value, &head) || head.kind != VALUE_MAP)
                return leave_out_text(import, arrival->line, REJECT_LINE, arrival->part.text);
        if (value_member(arrival->part.value, "resourceType", &item))
                return take_resource(import, arrival);
        if (kind != IMPORT_OWN_NONE)
                return take_own(import, arrival, kind);
        if (is_reject_line(arrival))
                return take_origin(import, arrival);
        if (arrival->mended && arrival->level + 1 < LEVELS && value_member_text(arrival->part.value, "text", &item))
                return take_mended_text(import, arrival, item);
        return leave_out_value(import, arrival, &reject, NULL);
}

/* ---- reading ---- */

static enum err on_value(void *context, struct slice text, uint64_t line)
{
        const struct arrival arrival = {.line = line};

        return take_text(context, text, &arrival);
}

static enum err on_broken(void *context, struct slice text, uint64_t line, enum reject_reason why)
{
        return leave_out_text(context, line, why, text);
}

enum err import_json_create(struct import_json **out, const struct import_json_config *config)
{
        struct import_json *import = vc_calloc(1, sizeof(*import));
        const struct json_split_sink values = {.value = on_value, .broken = on_broken, .context = import};
        enum err rc;

        *out = NULL;
        if (import == NULL)
                return ERR_NOMEM;
        import->config = *config;
        if (import->config.value_max == 0)
                import->config.value_max = IMPORT_JSON_VALUE_MAX;
        rc = fhir_mapper_create(&import->mapper);
        if (rc == OK)
                rc = json_split_create(&import->split, import->config.value_max, &values);
        if (rc == OK)
                *out = import;
        else
                import_json_destroy(&import);
        return rc;
}

void import_json_destroy(struct import_json **import)
{
        struct import_json *i = *import;

        if (i == NULL)
                return;
        json_split_destroy(&i->split);
        fhir_mapper_destroy(&i->mapper);
        for (size_t level = 0; level < LEVELS; level++)
                buf_deinit(&i->values[level]);
        buf_deinit(&i->text);
        buf_deinit(&i->row);
        buf_deinit(&i->bare);
        vc_free(i);
        *import = NULL;
}

enum err import_json_feed(struct import_json *import, struct slice bytes)
{
        return json_split_feed(import->split, bytes);
}

enum err import_json_finish(struct import_json *import)
{
        return json_split_finish(import->split);
}
