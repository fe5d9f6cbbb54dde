/* CSV files from outside: whatever the bytes, every row becomes a sound record or a reason, and it makes no difference
 * in which pieces the file arrives. What is left out comes with an origin that is left out again for the same reason,
 * but for bytes that are not UTF-8, which are so in the origin. The first byte chooses the piece's size. */
#include "import/import_csv.h"
#include "import/import_own.h"
#include "database/value_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
        uint64_t records;
        uint64_t rejects;
        uint64_t lines; /* a sum: rows are on the same lines */
};

static enum err take_item(void *context, const struct import_item *item)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct tally *tally = context;

        VC_ASSERT(value_check(item->row, &limits, NULL) == OK);
        tally->records++;
        tally->lines += item->line;
        return OK;
}

static void read_origin_again(const struct import_bad *bad)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct buf value;
        struct buf row;
        struct import_own_cells cells = {.prefix = SLICE_EMPTY};
        struct reject reject;
        const char *table;
        enum err rc;

        buf_init(&value, 0);
        buf_init(&row, 0);
        VC_ASSERT(value_from_json(bad->origin, &limits, &value, NULL) == OK);
        cells.value = buf_slice(&value);
        VC_ASSERT(import_own_kind(cells.value) == IMPORT_OWN_CELLS);
        rc = import_own_cells(&cells, &table, &row, &reject);
        VC_ASSERT(rc == ERR_BADVALUE || bad->reject.reason == REJECT_ENCODING);
        VC_ASSERT(rc == OK || strcmp(table, bad->table) == 0);
        VC_ASSERT(rc == OK || reject.reason == bad->reject.reason || bad->reject.reason == REJECT_ENCODING);
        buf_deinit(&row);
        buf_deinit(&value);
}

static enum err take_bad(void *context, const struct import_bad *bad)
{
        struct tally *tally = context;

        VC_ASSERT(bad->reject.reason < REJECT_REASON_COUNT);
        if (bad->origin.len > 0)
                read_origin_again(bad);
        tally->rejects++;
        tally->lines += bad->line;
        return OK;
}

static enum err import_in_pieces(struct slice text, size_t piece, struct tally *tally)
{
        const struct import_sink sink = {.item = take_item, .bad = take_bad, .context = tally};
        struct import_csv *import;
        struct err_msg msg;
        const struct import_csv_file file = {.path = "allergies.csv", .first = text};
        enum err rc = import_csv_create(&import, &file, &sink, &msg);

        *tally = (struct tally){0};
        while (rc == OK && text.len > 0) {
                size_t len = text.len < piece ? text.len : piece;

                rc = import_csv_feed(import, slice_of(text.data, len), &msg);
                text = slice_of(text.data + len, text.len - len);
        }
        if (rc == OK)
                rc = import_csv_finish(import, &msg);
        import_csv_destroy(&import);
        return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct tally whole;
        struct tally pieces;
        struct slice text;

        if (size == 0)
                return 0;
        text = slice_of(data + 1, size - 1);
        VC_ASSERT(import_in_pieces(text, text.len + 1, &whole) == import_in_pieces(text, 3u + data[0], &pieces));
        VC_ASSERT(memcmp(&whole, &pieces, sizeof(whole)) == 0);
        return 0;
}
