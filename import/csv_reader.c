#include "import/csv_reader.h"

#include "base/buf.h"
#include "base/mem.h"

#include <csv.h>

/* libcsv hands out one field at a time, in memory that it uses again; a row's fields are gathered in `text` until the
 * row ends. It is fed line by line, so that it is known where each row began: in `raw`, from `row_start` on.
 *
 * In its strict mode libcsv stops at a quote out of place, and a quote that is never closed makes one field of all that
 * follows, up to CSV_READER_ROW_MAX or the end of the file. Either way the row is given up: its first line is reported,
 * the parser starts afresh behind it and reads once more what it had taken for the rest of the row. That costs the
 * bytes up to the quote at which it stopped a second time, and each quote stops it once. */
struct csv_reader {
        struct csv_reader_sink sink;
        struct csv_parser parser;
        struct buf text;
        size_t ends[CSV_READER_FIELDS_MAX]; /* of each field in `text` */
        size_t count;
        struct buf raw;   /* what has come in, from the row under way on */
        size_t row_start; /* in `raw` */
        size_t parsed;    /* of `raw` */
        uint64_t line;    /* that the next byte to parse is on */
        uint64_t row_line;
        bool row_ended;  /* by the line fed last */
        bool after_cr;   /* the line before ended in a CR: a LF at once belongs to it */
        bool skipping;   /* to the next line break: what stands there was given up */
        bool started;    /* the byte order mark has been looked for */
        bool broken;     /* the row under way has too many columns */
        enum err failed; /* set within a callback, which cannot return it */
};

static const char *why_broken(enum reject_reason reason)
{
        switch (reason) {
        case REJECT_LONG: return "the row is longer than 1 MiB; is a quote not closed?";
        case REJECT_COLUMNS: return "the row has more than 256 columns";
        default: return "a quote is not closed, or stands where none may";
        }
}

/* ---- libcsv's callbacks ---- */

static void on_field(void *text, size_t len, void *context)
{
        struct csv_reader *r = context;

        if (r->count == CSV_READER_FIELDS_MAX)
                r->broken = true;
        if (r->broken || r->failed != OK)
                return;
        r->failed = buf_append(&r->text, text, len);
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

static void on_row_end(int end, void *context)
{
        struct csv_reader *r = context;

        (void)end;
        r->row_ended = true;
        if (r->failed == OK && r->count > 0 && !r->broken)
                r->failed = give_row(r);
        r->count = 0; /* the LF of a CRLF ends an empty row */
}

/* ---- making ---- */

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
        buf_init(&r->text, 0);
        buf_init(&r->raw, 0);
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
        buf_deinit(&(*reader)->raw);
        vc_free(*reader);
        *reader = NULL;
}

/* ---- rows ---- */

static void begin_row(struct csv_reader *r)
{
        r->count = 0;
        r->broken = false;
        r->row_start = r->parsed;
        r->row_line = r->line;
        buf_truncate(&r->text, 0);
}

/* The length of the line that begins at `start` in `raw`, its line break included; 0 when its end has not come in. */
static size_t line_length(const struct csv_reader *r, size_t start)
{
        struct slice raw = buf_slice(&r->raw);
        struct slice left = slice_of(raw.data + start, raw.len - start);
        const uint8_t *lf = left.len == 0 ? NULL : memchr(left.data, '\n', left.len);
        size_t len = lf == NULL ? left.len : (size_t)(lf - left.data) + 1;
        const uint8_t *cr = len == 0 ? NULL : memchr(left.data, '\r', len);

        if (cr != NULL && cr + 1 != lf)
                return (size_t)(cr - left.data) + 1;
        return lf == NULL ? 0 : len;
}

/* Counts the line break that the bytes end in, if they do. */
static void count_line(struct csv_reader *r, struct slice line)
{
        uint8_t last = line.data[line.len - 1];
        bool second_half = r->after_cr && line.len == 1 && last == '\n'; /* of a CRLF that came in two pieces */

        if ((last == '\n' || last == '\r') && !second_half)
                r->line++;
        r->after_cr = last == '\r';
}

/* Reports the first line of the row under way as broken, and goes back to the line behind it. */
static enum err give_up_row(struct csv_reader *r, enum reject_reason reason)
{
        struct slice raw = buf_slice(&r->raw);
        size_t len = line_length(r, r->row_start);
        size_t end = len == 0 ? raw.len : r->row_start + len;
        struct csv_broken broken = {.line = r->row_line, .reason = reason, .why = why_broken(reason)};
        size_t shown = end - r->row_start;
        enum err rc;

        while (shown > 0 && (raw.data[r->row_start + shown - 1] == '\n' || raw.data[r->row_start + shown - 1] == '\r'))
                shown--;
        if (shown <= CSV_READER_BROKEN_MAX)
                broken.text = slice_of(raw.data + r->row_start, shown);
        rc = r->sink.broken(r->sink.context, &broken);
        r->parsed = end;
        r->line = r->row_line + (len == 0 ? 0 : 1);
        r->after_cr = len > 0 && raw.data[end - 1] == '\r';
        r->skipping = len == 0;
        begin_row(r);
        csv_free(&r->parser);
        return rc != OK ? rc : start_parser(r);
}

/* Parses the next `len` bytes, which are at most one line. */
static enum err parse_line(struct csv_reader *r, size_t len)
{
        struct slice line = slice_of(buf_slice(&r->raw).data + r->parsed, len);
        size_t done;

        r->row_ended = false;
        done = csv_parse(&r->parser, line.data, line.len, on_field, on_row_end, r);
        if (r->failed != OK)
                return r->failed;
        if (csv_error(&r->parser) == CSV_EPARSE)
                return give_up_row(r, REJECT_QUOTES);
        if (done != line.len)
                return ERR_NOMEM;
        if (r->row_ended && r->broken)
                return give_up_row(r, REJECT_COLUMNS);
        count_line(r, line);
        r->parsed += len;
        if (r->row_ended)
                begin_row(r);
        return OK;
}

static void skip_line(struct csv_reader *r, size_t len)
{
        if (len > 0)
                count_line(r, slice_of(buf_slice(&r->raw).data + r->parsed, len));
        r->skipping = len == 0;
        r->parsed = len == 0 ? buf_len(&r->raw) : r->parsed + len;
        begin_row(r);
}

/* Drops the byte order mark. */
static void start(struct csv_reader *r)
{
        static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
        struct slice raw = buf_slice(&r->raw);

        if (raw.len >= sizeof(mark) && memcmp(raw.data, mark, sizeof(mark)) == 0)
                buf_consume(&r->raw, sizeof(mark));
        r->started = true;
}

/* Parses the lines that have come in whole, and at the end of the file the last one, too. */
static enum err parse_lines(struct csv_reader *r, bool at_end)
{
        enum err rc = OK;

        while (rc == OK && r->parsed < buf_len(&r->raw)) {
                size_t left = buf_len(&r->raw) - r->parsed;
                size_t whole = line_length(r, r->parsed);
                size_t len = whole > 0 ? whole : left;

                if (r->skipping)
                        skip_line(r, whole);
                else if (r->parsed - r->row_start + len > CSV_READER_ROW_MAX)
                        rc = give_up_row(r, REJECT_LONG);
                else if (whole > 0 || at_end)
                        rc = parse_line(r, len);
                else
                        break;
        }
        return rc;
}

static void forget_rows(struct csv_reader *r)
{
        buf_consume(&r->raw, r->row_start);
        r->parsed -= r->row_start;
        r->row_start = 0;
}

enum err csv_reader_feed(struct csv_reader *reader, struct slice bytes)
{
        enum { MARK_SIZE = 3 };
        enum err rc = buf_append_slice(&reader->raw, bytes);

        if (rc != OK)
                return rc;
        if (!reader->started && buf_len(&reader->raw) < MARK_SIZE)
                return OK;
        if (!reader->started)
                start(reader);
        rc = parse_lines(reader, false);
        forget_rows(reader);
        return rc;
}

enum err csv_reader_finish(struct csv_reader *reader)
{
        enum err rc;

        if (!reader->started)
                start(reader);
        rc = parse_lines(reader, true);
        while (rc == OK && reader->parsed > reader->row_start) { /* a row is under way still */
                if (csv_fini(&reader->parser, on_field, on_row_end, reader) != 0) {
                        rc = csv_error(&reader->parser) == CSV_EPARSE ? give_up_row(reader, REJECT_QUOTES) : ERR_NOMEM;
                        rc = rc == OK ? parse_lines(reader, true) : rc;
                        continue;
                }
                rc = reader->failed;
                if (rc == OK && reader->broken)
                        rc = give_up_row(reader, REJECT_COLUMNS);
                begin_row(reader);
        }
        return rc;
}
