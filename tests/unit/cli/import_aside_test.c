#include "base/buf.h"
#include "base/hash.h"
#include "cli/import_aside.h"
#include "tests/lib/test.h"

#include <stdlib.h>

/* The n-th row: now and then one that is larger than any buffer. */
static void make_row(struct buf *out, uint64_t n)
{
        uint64_t state = n;
        size_t len = (size_t)(random_next(&state) % (n % 100 == 7 ? 700000 : 600));

        buf_truncate(out, 0);
        assert_ok(buf_reserve(out, len + 1));
        for (size_t i = 0; i < len; i++)
                assert_ok(buf_append(out, &(uint8_t){(uint8_t)(n + i * 7)}, 1));
}

static void check_row(const struct import_line *line, uint64_t n, struct buf *scratch)
{
        make_row(scratch, n);
        assert_string_equal(line->table, n % 2 == 0 ? "allergies" : "conditions");
        assert_string_equal(line->place.path, "a.csv");
        assert_int_equal(line->place.line, n);
        assert_int_equal(line->row.len, buf_len(scratch));
        if (line->row.len > 0)
                assert_memory_equal(line->row.data, buf_slice(scratch).data, line->row.len);
}

static void rows_come_back_in_order_and_by_their_places(void **state)
{
        enum { ROWS = 1200 };
        struct import_aside *aside;
        struct import_line line;
        struct buf row;
        uint64_t places[ROWS];
        uint64_t at = 0;

        (void)state;
        buf_init(&row, 0);
        assert_ok(import_aside_create(&aside));
        assert_int_equal(import_aside_end(aside), 0);
        for (uint64_t n = 0; n < ROWS; n++) {
                make_row(&row, n);
                line = (struct import_line){.table = n % 2 == 0 ? "allergies" : "conditions",
                        .place = {.path = "a.csv", .line = n},
                        .row = buf_slice(&row)};
                assert_ok(import_aside_add(aside, &line, &places[n], NULL));
                assert_true(n == 0 || places[n] > places[n - 1]);
        }
        for (uint64_t n = 0; n < ROWS; n++) {
                assert_int_equal(at, places[n]);
                assert_ok(import_aside_read(aside, &at, &line, NULL));
                check_row(&line, n, &row);
        }
        assert_int_equal(at, import_aside_end(aside));
        for (uint64_t n = 5; n < ROWS; n += 37) { /* far from one another, and backwards */
                at = places[ROWS - n];
                assert_ok(import_aside_read(aside, &at, &line, NULL));
                check_row(&line, ROWS - n, &row);
        }
        import_aside_destroy(&aside);
        assert_null(aside);
        buf_deinit(&row);
}

static void a_disk_that_takes_nothing_is_an_error(void **state)
{
        const struct import_line line = {.table = "allergies", .place = {.path = "a.csv", .line = 1}};
        struct import_aside *aside;
        struct import_line back;
        struct err_msg msg;
        uint64_t at;

        (void)state;
        assert_int_equal(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
        assert_ok(import_aside_create(&aside));
        assert_ok(import_aside_add(aside, &line, &at, &msg));
        assert_err(ERR_IO, import_aside_read(aside, &at, &back, &msg));
        assert_non_null(strstr(msg.text, "/nowhere/at/all"));
        import_aside_destroy(&aside);
        assert_int_equal(unsetenv("TMPDIR"), 0);
}

static enum err use_it(void *context)
{
        const struct import_line line = {
                .table = "allergies", .place = {.path = "a.csv", .line = 1}, .row = slice_str("some bytes")};
        struct import_aside *aside;
        struct import_line back;
        uint64_t at;
        enum err rc = import_aside_create(&aside);

        (void)context;
        if (rc == OK)
                rc = import_aside_add(aside, &line, &at, NULL);
        if (rc == OK)
                rc = import_aside_read(aside, &at, &back, NULL);
        import_aside_destroy(&aside);
        return rc;
}

static void failed_allocations_are_errors(void **state)
{
        (void)state;
        each_allocation_fails(use_it, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_come_back_in_order_and_by_their_places),
                cmocka_unit_test(a_disk_that_takes_nothing_is_an_error),
                cmocka_unit_test(failed_allocations_are_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
