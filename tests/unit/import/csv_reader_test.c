#include "base/buf.h"
#include "import/csv_reader.h"
#include "tests/lib/test.h"

/* Rows are written down as "line:field|field;" and broken ones as "line!why<text>;". */
static enum err note_row(void *context, const struct csv_row *row)
{
        enum err rc = buf_printf(context, "%llu:", (unsigned long long)row->line);

        for (size_t i = 0; rc == OK && i < row->count; i++)
                rc = buf_printf(context, "%s%.*s", i == 0 ? "" : "|", SLICE_ARG(row->fields[i]));
        return rc == OK ? buf_append_str(context, ";") : rc;
}

static enum err note_broken(void *context, const struct csv_broken *broken)
{
        return buf_printf(
                context, "%llu!%s<%.*s>;", (unsigned long long)broken->line, broken->why, SLICE_ARG(broken->text));
}

/* Reads `text` in pieces of `piece` bytes. */
static enum err read_all(struct slice text, size_t piece, struct buf *notes)
{
        const struct csv_reader_sink sink = {.row = note_row, .broken = note_broken, .context = notes};
        struct csv_reader *reader;
        enum err rc = csv_reader_create(&reader, &sink);

        while (rc == OK && text.len > 0) {
                size_t len = text.len < piece ? text.len : piece;

                rc = csv_reader_feed(reader, slice_of(text.data, len));
                text = slice_of(text.data + len, text.len - len);
        }
        if (rc == OK)
                rc = csv_reader_finish(reader);
        csv_reader_destroy(&reader);
        return rc;
}

static void assert_reads(const char *text, const char *expected)
{
        static const size_t pieces[] = {1, 3, 1 << 20};

        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
                struct buf notes;

                buf_init(&notes, 0);
                assert_ok(read_all(slice_str(text), pieces[i], &notes));
                assert_slice_is(buf_slice(&notes), expected);
                buf_deinit(&notes);
        }
}

static void rows_come_with_their_lines(void **state)
{
        (void)state;
        assert_reads("", "");
        assert_reads("a,b\nc,d\n", "1:a|b;2:c|d;");
        assert_reads("a,b\nc,d", "1:a|b;2:c|d;");
        assert_reads("a,b\r\nc,d\r\n\r\ne,f\r\n", "1:a|b;2:c|d;4:e|f;");
        assert_reads("a\rb\r\rc", "1:a;2:b;4:c;");
        assert_reads("\n\na,,c\n,\n", "3:a||c;4:|;");
}

static void quotes_hold_commas_quotes_and_line_breaks(void **state)
{
        (void)state;
        assert_reads("\"a,b\",\"say \"\"hi\"\"\"\n\"x\ny\",z\nlast,1\n", "1:a,b|say \"hi\";2:x\ny|z;4:last|1;");
        assert_reads("\"\",\" kept \", dropped \n", "1:| kept |dropped;");
}

static void a_byte_order_mark_is_dropped(void **state)
{
        struct buf notes;

        (void)state;
        buf_init(&notes, 0);
        assert_ok(read_all(slice_str("\xef\xbb\xbf\"Id\",x\n"), 100, &notes));
        assert_slice_is(buf_slice(&notes), "1:Id|x;");
        buf_deinit(&notes);
}

#define QUOTES "a quote is not closed, or stands where none may"

static void reading_goes_on_behind_the_first_line_of_a_broken_row(void **state)
{
        (void)state;
        assert_reads("a,b\nc,d\"x\ne,f\n", "1:a|b;2!" QUOTES "<c,d\"x>;3:e|f;");
        assert_reads("a,\"b\"c,d\r\ne,f\r\n", "1!" QUOTES "<a,\"b\"c,d>;2:e|f;");
        assert_reads("a,\"b\"c,d\re,f\r", "1!" QUOTES "<a,\"b\"c,d>;2:e|f;");
        /* not closed: it shows at the next quote, or at the end, and the lines between are rows all the same */
        assert_reads("a,\"b\nc\nd,\"e\"\nf,g\n", "1!" QUOTES "<a,\"b>;2:c;3:d|e;4:f|g;");
        assert_reads("a,b\nc,\"d\ne\nf,\"g", "1:a|b;2!" QUOTES "<c,\"d>;3:e;4!" QUOTES "<f,\"g>;");
        assert_reads("a\"", "1!" QUOTES "<a\">;");
        assert_reads("\"a\nb\"c\nd\n", "1!" QUOTES "<\"a>;2!" QUOTES "<b\"c>;3:d;");
}

static void too_many_columns_break_one_row_only(void **state)
{
        struct buf text;
        struct buf notes;

        (void)state;
        buf_init(&text, 0);
        buf_init(&notes, 0);
        for (int i = 0; i < CSV_READER_FIELDS_MAX; i++) /* 256 commas, 257 fields */
                assert_ok(buf_append_str(&text, ","));
        assert_ok(buf_append_str(&text, "\na,b\n"));
        assert_ok(read_all(buf_slice(&text), 1000, &notes));
        assert_int_equal(
                strncmp((const char *)buf_slice(&notes).data, "1!the row has more than 256 columns<,,,", 39), 0);
        assert_slice_is(slice_of(buf_slice(&notes).data + buf_len(&notes) - 9, 9), ",>;2:a|b;");
        buf_deinit(&notes);
        buf_deinit(&text);
}

struct tally {
        uint64_t rows;
        uint64_t broken;
        uint64_t last_line;
        size_t text_len;
        enum reject_reason reason;
};

static enum err count_row(void *context, const struct csv_row *row)
{
        struct tally *tally = context;

        tally->rows++;
        tally->last_line = row->line;
        return OK;
}

static enum err count_broken(void *context, const struct csv_broken *broken)
{
        struct tally *tally = context;

        tally->broken++;
        tally->text_len = broken->text.len;
        tally->reason = broken->reason;
        return OK;
}

static struct tally count_all(struct slice text, size_t piece)
{
        struct tally tally = {0};
        const struct csv_reader_sink sink = {.row = count_row, .broken = count_broken, .context = &tally};
        struct csv_reader *reader;

        assert_ok(csv_reader_create(&reader, &sink));
        while (text.len > 0) {
                size_t len = text.len < piece ? text.len : piece;

                assert_ok(csv_reader_feed(reader, slice_of(text.data, len)));
                text = slice_of(text.data + len, text.len - len);
        }
        assert_ok(csv_reader_finish(reader));
        csv_reader_destroy(&reader);
        return tally;
}

static void a_quote_that_is_never_closed_costs_one_line(void **state)
{
        enum { LINES = 2 * CSV_READER_ROW_MAX / 8 };
        struct buf text;
        struct tally tally;

        (void)state;
        buf_init(&text, 0);
        assert_ok(buf_append_str(&text, "a,\"\n"));
        for (int i = 0; i < LINES; i++)
                assert_ok(buf_append_str(&text, "xxxxxxx\n"));
        tally = count_all(buf_slice(&text), 4096);
        assert_int_equal(tally.broken, 1);
        assert_int_equal(tally.text_len, 3);
        assert_int_equal(tally.rows, LINES);
        assert_int_equal(tally.last_line, LINES + 1);
        buf_deinit(&text);
}

static void a_line_without_end_is_passed_over_in_bounded_memory(void **state)
{
        enum { LEN = 100 << 20 };
        static const size_t pieces[] = {1 << 16, LEN + 100};
        struct buf text;

        (void)state;
        buf_init(&text, 0);
        assert_ok(buf_append_str(&text, "a,b\n"));
        assert_ok(buf_reserve(&text, LEN));
        memset(text.data + text.end, 'x', LEN);
        buf_added(&text, LEN);
        assert_ok(buf_append_str(&text, "\nc,d\n"));
        for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
                struct tally tally = count_all(buf_slice(&text), pieces[i]);

                assert_int_equal(tally.rows, 2);
                assert_int_equal(tally.broken, 1);
                assert_int_equal(tally.text_len, 0);
                assert_int_equal(tally.reason, REJECT_LONG);
                assert_int_equal(tally.last_line, 3);
        }
        buf_deinit(&text);
}

static enum err stop_at_row(void *context, const struct csv_row *row)
{
        (*(int *)context)++;
        return row->line == 2 ? ERR_LIMIT : OK;
}

static void the_sink_can_end_the_reading(void **state)
{
        int rows = 0;
        const struct csv_reader_sink sink = {.row = stop_at_row, .broken = note_broken, .context = &rows};
        struct csv_reader *reader;

        (void)state;
        assert_ok(csv_reader_create(&reader, &sink));
        assert_err(ERR_LIMIT, csv_reader_feed(reader, slice_str("a\nb\nc\nd\n")));
        assert_int_equal(rows, 2);
        csv_reader_destroy(&reader);
        assert_null(reader);
        csv_reader_destroy(&reader);
}

static enum err read_some(void *context)
{
        struct buf notes;
        enum err rc;

        (void)context;
        buf_init(&notes, 0);
        rc = read_all(slice_str("id,name\n1,\"long enough to grow more than once, surely\"\n2,x\"y\n3,z\n"), 7, &notes);
        buf_deinit(&notes);
        return rc;
}

/* libcsv asks for less memory when it does not get enough: that alone is no failure. */
static void survives_each_failed_allocation(void **state)
{
        (void)state;
        each_allocation_fails_for_good(read_some, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_come_with_their_lines),
                cmocka_unit_test(quotes_hold_commas_quotes_and_line_breaks),
                cmocka_unit_test(a_byte_order_mark_is_dropped),
                cmocka_unit_test(reading_goes_on_behind_the_first_line_of_a_broken_row),
                cmocka_unit_test(too_many_columns_break_one_row_only),
                cmocka_unit_test(a_quote_that_is_never_closed_costs_one_line),
                cmocka_unit_test(a_line_without_end_is_passed_over_in_bounded_memory),
                cmocka_unit_test(the_sink_can_end_the_reading),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
