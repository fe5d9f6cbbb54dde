#include "database/csv_reader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <csv.h>

/* libcsv hands out one field at a time, in memory that it uses again; a row's fields are gathered in `text` until the
 * row ends. In its strict mode it stops at a quote out of place: the row is given up, the parser starts afresh, and
 * what follows up to the next line break is skipped. A quote that is never closed would make one field of the rest of
 * the file; CSV_READER_ROW_MAX ends that. */
struct csv_reader {
        struct csv_reader_sink sink;
        struct csv_parser parser;
        struct buf text;
        size_t ends[CSV_READER_FIELDS_MAX]; /* of each field in `text` */
        size_t count;
        uint64_t line;     /* that the next byte is on */
        uint64_t row_line; /* that the row under way began on */
        bool after_cr;     /* a CR has just ended a row: a LF at once belongs to it */
        bool skipping;     /* to the next line break, after a broken row */
        bool started;
        const char *broken; /* why the row under way cannot be one; NULL: it can */
        enum err failed;    /* set within a callback, which cannot return it */
};

static const char *const BROKEN_QUOTES = "a quote is not closed, or stands where none may";
static const char *const BROKEN_LENGTH = "the row is longer than 1 MiB; is a quote not closed?";
static const char *const BROKEN_COLUMNS = "the row has more than 256 columns";

static uint64_t count_line_breaks(const void *text, size_t len)
{
        struct slice left = slice_of(text, len);
        uint64_t count = 0;

        while (left.len > 0) {
                const uint8_t *found = memchr(left.data, '\n', left.len);

                if (found == NULL)
                        break;
                count++;
                left = slice_of(found + 1, left.len - (size_t)(found + 1 - left.data));
        }
        return count;
}

/* ---- libcsv's callbacks ---- */

static void on_field(void *text, size_t len, void *context)
{
        struct csv_reader *r = context;
        enum err rc;

        r->after_cr = false;
        if (r->count == 0)
                r->row_line = r->line;
        r->line += count_line_breaks(text, len);
        if (r->broken != NULL || r->failed != OK)
                return;
        if (r->count == CSV_READER_FIELDS_MAX) {
                r->broken = BROKEN_COLUMNS;
                return;
        }
        rc = buf_append(&r->text, text, len);
        if (rc == ERR_LIMIT)
                r->broken = BROKEN_LENGTH;
        else
                r->failed = rc;
        r->ends[r->count++] = buf_len(&r->text);
}

static enum err give_row(struct csv_reader *r)
{
        struct slice fields[CSV_READER_FIELDS_MAX];
        struct slice text = buf_slice(&r->text);
        struct csv_row row = {.line = r->row_line, .count = r->count, .fields = fields};
        size_t start = 0;

        for (size_t i = 0; i < r->count; i++) {
                fields[i] = slice_of(text.data == NULL ? (const uint8_t *)"" : text.data + start, r->ends[i] - start);
                start = r->ends[i];
        }
        return r->sink.row(r->sink.context, &row);
}

static void end_row(struct csv_reader *r)
{
        if (r->failed == OK && r->broken != NULL)
                r->failed = r->sink.broken(r->sink.context, r->row_line, r->broken);
        else if (r->failed == OK && r->count > 0)
                r->failed = give_row(r);
        r->count = 0;
        r->broken = NULL;
        buf_truncate(&r->text, 0);
}

/* `end` is the byte that ended the row, or -1 at the end of the file. */
static void on_row_end(int end, void *context)
{
        struct csv_reader *r = context;
        bool second_half = end == '\n' && r->after_cr; /* of a CRLF, whose CR was counted */

        end_row(r);
        if (end >= 0 && !second_half)
                r->line++;
        r->after_cr = end == '\r';
}

/* ---- reading ---- */

static enum err start_parser(struct csv_reader *r)
{
        if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
                return ERR_INTERNAL;
        csv_set_realloc_func(&r->parser, vc_realloc);
        csv_set_free_func(&r->parser, vc_free);
        return OK;
}

enum err csv_reader_create(struct csv_reader **out, const struct csv_reader_sink *sink)
{
        struct csv_reader *r = vc_calloc(1, sizeof(*r));

        *out = NULL;
        if (r == NULL)
                return ERR_NOMEM;
        r->sink = *sink;
        r->line = r->row_line = 1;
        buf_init(&r->text, CSV_READER_ROW_MAX);
        if (start_parser(r) != OK) {
                vc_free(r);
                return ERR_NOMEM;
        }
        *out = r;
        return OK;
}

void csv_reader_destroy(struct csv_reader **reader)
{
        if (*reader == NULL)
                return;
        csv_free(&(*reader)->parser);
        buf_deinit(&(*reader)->text);
        vc_free(*reader);
        *reader = NULL;
}

/* Gives up the row under way and what libcsv holds of it. */
static enum err give_up_row(struct csv_reader *r, const char *why)
{
        if (r->count == 0)
                r->row_line = r->line;
        r->line += count_line_breaks(r->parser.entry_buf, r->parser.entry_pos);
        r->broken = why;
        end_row(r);
        csv_free(&r->parser);
        r->skipping = true;
        return r->failed != OK ? r->failed : start_parser(r);
}

/* Drops the rest of a broken row's line. */
static void skip_line(struct csv_reader *r, struct slice *bytes)
{
        const uint8_t *found = bytes->len == 0 ? NULL : memchr(bytes->data, '\n', bytes->len);
        size_t skipped = found == NULL ? bytes->len : (size_t)(found + 1 - bytes->data);

        if (found != NULL) {
                r->skipping = false;
                r->line++;
        }
        *bytes = slice_of(bytes->data + skipped, bytes->len - skipped);
}

static enum err parse_piece(struct csv_reader *r, struct slice *bytes)
{
        size_t done = csv_parse(&r->parser, bytes->data, bytes->len, on_field, on_row_end, r);
        int error = csv_error(&r->parser);

        VC_ASSERT(done <= bytes->len);
        *bytes = slice_of(bytes->data + done, bytes->len - done);
        if (r->failed != OK)
                return r->failed;
        if (error == CSV_EPARSE)
                return give_up_row(r, BROKEN_QUOTES);
        if (error != CSV_SUCCESS)
                return ERR_NOMEM;
        if (r->parser.entry_pos > CSV_READER_ROW_MAX)
                return give_up_row(r, BROKEN_LENGTH);
        return OK;
}

enum err csv_reader_feed(struct csv_reader *reader, struct slice bytes)
{
        enum { PIECE_MAX = 65536 }; /* between looks at the length of the field under way */
        static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

        if (!reader->started && bytes.len >= sizeof(mark) && memcmp(bytes.data, mark, sizeof(mark)) == 0)
                bytes = slice_of(bytes.data + sizeof(mark), bytes.len - sizeof(mark));
        reader->started = true;
        while (bytes.len > 0) {
                struct slice piece = slice_of(bytes.data, bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX);
                struct slice rest = piece;
                enum err rc = OK;

                if (reader->skipping)
                        skip_line(reader, &rest);
                else
                        rc = parse_piece(reader, &rest);
                if (rc != OK)
                        return rc;
                bytes = slice_of(rest.data, bytes.len - (piece.len - rest.len));
        }
        return OK;
}

enum err csv_reader_finish(struct csv_reader *reader)
{
        if (reader->skipping)
                return OK;
        if (csv_fini(&reader->parser, on_field, on_row_end, reader) == 0)
                return reader->failed;
        if (csv_error(&reader->parser) == CSV_EPARSE)
                return give_up_row(reader, BROKEN_QUOTES);
        return ERR_NOMEM;
}
