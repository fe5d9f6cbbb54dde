/* JSON files from outside (FHIR, exports, rejects): whatever the bytes, every value becomes sound rows, or a reason
 * with an origin that can be read again, and it makes no difference in which pieces the file arrives. A row of a
 * resource comes back as it was from the line that an export makes of it. The first byte chooses the piece's size, the
 * second one how long a value may be. */
#include "base/hash.h"
#include "import/import_json.h"
#include "import/row_json.h"
#include "database/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came, in its order. */
struct tally {
        uint64_t count;
        uint64_t hash;
};

static const struct value_json_rules RULES = {
        .limits = {.bytes = SIZE_MAX, .depth = VALUE_DEPTH_MAX, .elements = UINT32_MAX},
        .numbers = VALUE_NUMBERS_OR_TEXT};

static void note(struct tally *tally, struct slice what, uint64_t line)
{
        tally->count++;
        tally->hash = hash64(what, tally->hash + line);
}

static bool is_json_object(struct slice text)
{
        struct value_json_fault fault;
        struct buf value;
        struct value head;
        bool is;

        buf_init(&value, 0);
        is = value_from_json_text(text, &RULES, &value, &fault) == OK && value_of(buf_slice(&value), &head) &&
             head.kind == VALUE_MAP;
        buf_deinit(&value);
        return is;
}

static enum err compare_row(void *context, const struct import_item *item)
{
        const struct import_item *before = context;
        struct buf canonical[2];

        buf_init(&canonical[0], 0);
        buf_init(&canonical[1], 0);
        VC_ASSERT(strcmp(item->table, before->table) == 0);
        VC_ASSERT(value_put_canonical(&canonical[0], item->row) == OK);
        VC_ASSERT(value_put_canonical(&canonical[1], before->row) == OK);
        VC_ASSERT(slice_equal(buf_slice(&canonical[0]), buf_slice(&canonical[1])));
        buf_deinit(&canonical[0]);
        buf_deinit(&canonical[1]);
        return OK;
}

static enum err refuse_bad(void *context, const struct import_bad *bad)
{
        (void)context;
        (void)bad;
        return ERR_BADVALUE;
}

static enum err import_in_pieces(struct slice text, size_t piece, const struct import_json_config *config)
{
        struct import_names names;
        struct import_json_config with_names = *config;
        struct import_json *import;
        enum err rc;

        import_names_init(&names);
        with_names.names = &names;
        rc = import_json_create(&import, &with_names);
        while (rc == OK && text.len > 0) {
                size_t len = text.len < piece ? text.len : piece;

                rc = import_json_feed(import, slice_of(text.data, len));
                text = slice_of(text.data + len, text.len - len);
        }
        if (rc == OK)
                rc = import_json_finish(import);
        import_json_destroy(&import);
        import_names_deinit(&names);
        return rc;
}

/* Whoever makes a row of an original has read it as JSON; a line of an export may hold anything. */
static void round_trip(const struct import_item *item)
{
        const struct import_json_config config = {
                .sink = {.item = compare_row, .bad = refuse_bad, .context = (void *)(uintptr_t)item}};
        struct slice original;
        struct buf line;

        if (!value_member_text(item->row, "resource", &original) || !is_json_object(original))
                return;
        buf_init(&line, 0);
        VC_ASSERT(row_json_put(item->table, item->row, &line) == OK);
        VC_ASSERT(import_in_pieces(buf_slice(&line), 1u << 20, &config) == OK);
        buf_deinit(&line);
}

static enum err take_item(void *context, const struct import_item *item)
{
        VC_ASSERT(value_check(item->row, &RULES.limits, NULL) == OK);
        note(context, slice_str(item->table), item->line);
        note(context, item->row, item->line);
        round_trip(item);
        return OK;
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        VC_ASSERT(bad->reject.reason < REJECT_REASON_COUNT);
        VC_ASSERT(bad->origin.len == 0 || is_json_object(bad->origin));
        note(context, slice_str(reject_word(bad->reject.reason)), bad->line);
        note(context, bad->origin, bad->line);
        return OK;
}

static enum err take_ignored(void *context, const char *kind)
{
        note(context, slice_str(kind), 0);
        return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct tally whole = {.count = 0};
        struct tally pieces = {.count = 0};
        struct import_json_config config = {
                .sink = {.item = take_item, .bad = take_bad, .ignored = take_ignored, .context = &whole}};
        struct slice text;

        if (size < 2)
                return 0;
        text = slice_of(data + 2, size - 2);
        config.value_max = data[1] == 0 ? 0 : data[1] * 16u;
        VC_ASSERT(import_in_pieces(text, text.len + 1, &config) == OK);
        config.sink.context = &pieces;
        VC_ASSERT(import_in_pieces(text, 1u + data[0], &config) == OK);
        VC_ASSERT(memcmp(&whole, &pieces, sizeof(whole)) == 0);
        return 0;
}
