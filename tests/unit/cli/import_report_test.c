#include "cli/import_report.h"
#include "tests/lib/values.h"

#include <stdlib.h>

static struct import_file FILES[] = {
        {.path = (char *)(uintptr_t) "a/allergies.csv", .kind = IMPORT_allergies},
        {.path = (char *)(uintptr_t) "a/encounters.csv", .skipped = true, .why = {.text = "not ours"}},
};
static const struct import_files BOTH = {.files = FILES, .count = 2};
static const struct import_files FIRST = {.files = FILES, .count = 1};
static const struct reject BAD_DATE = {.reason = REJECT_DATE, .field = "START"};
static const struct reject BROKEN = {.reason = REJECT_QUOTES};

static void fill(struct import_report *report)
{
        *report = (struct import_report){.reason_count = 0};
        report->seen[IMPORT_allergies] = true;
        report->counts[IMPORT_allergies] = (struct import_counts){.rows = 9, .written = 3, .unchanged = 1};
        for (uint64_t line = 2; line < 6; line++) {
                import_report_reject(report, &FILES[0], &BAD_DATE, 1);
                import_report_place(report, &FILES[0], &BAD_DATE, line);
        }
        import_report_reject(report, &FILES[0], &BROKEN, 1);
        import_report_place(report, &FILES[0], &BROKEN, 8);
}

static void reasons_keep_their_first_places(void **state)
{
        struct import_report report;
        struct buf value;

        (void)state;
        fill(&report);
        assert_true(import_report_is_partial(&report));
        assert_false(import_report_wants_place(&report, &FILES[0], &BAD_DATE));
        assert_true(import_report_wants_place(&report, &FILES[0], &BROKEN));
        buf_init(&value, 0);
        assert_ok(import_report_to_value(&report, &BOTH, &value));
        assert_value_is(buf_slice(&value),
                "{\"tables\":[{\"table\":\"allergies\",\"rows\":9,\"written\":3,\"unchanged\":1,\"left_out\":5}],"
                "\"left_out\":[{\"table\":\"allergies\",\"reason\":\"START: not a date\",\"count\":4,\"first\":["
                "\"a/allergies.csv:2\",\"a/allergies.csv:3\",\"a/allergies.csv:4\"]},{\"table\":\"allergies\","
                "\"reason\":\"broken quotes, or a row that is too "
                "long\",\"count\":1,\"first\":[\"a/allergies.csv:8\"]}],"
                "\"skipped\":[{\"file\":\"a/encounters.csv\",\"why\":\"not ours\"}],\"token\":\"\"}");
        buf_deinit(&value);
}

static void people_read_it_in_lines(void **state)
{
        struct import_report report;
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        (void)state;
        fill(&report);
        (void)snprintf(report.token, sizeof(report.token), "v1-7");
        assert_ok(import_report_print(&report, &BOTH, out));
        (void)fclose(out);
        assert_string_equal(text, "table      rows  written  unchanged  left_out\n"
                                  "allergies  9     3        1          5\n"
                                  "left out: 4 allergies, START: not a date\n"
                                  "  a/allergies.csv:2\n  a/allergies.csv:3\n  a/allergies.csv:4\n  and 1 more\n"
                                  "left out: 1 allergies, broken quotes, or a row that is too long\n"
                                  "  a/allergies.csv:8\n"
                                  "skipped: a/encounters.csv: not ours\n"
                                  "token v1-7\n");
        free(text);
}

static void nothing_left_out_is_not_partial(void **state)
{
        struct import_report report = {.reason_count = 0};
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        assert_false(import_report_is_partial(&report));
        assert_ok(import_report_to_value(&report, &FIRST, &value));
        assert_value_is(buf_slice(&value), "{\"tables\":[],\"token\":\"\"}");
        buf_deinit(&value);
}

static void more_reasons_than_room_still_count(void **state)
{
        struct import_report report = {.reason_count = 0};
        uint64_t total = 0;

        (void)state;
        for (size_t i = 0; i < REPORT_REASONS_MAX + 5; i++) {
                struct reject reject = {.reason = REJECT_DATE};

                (void)snprintf(reject.field, sizeof(reject.field), "COLUMN%zu", i);
                import_report_reject(&report, &FILES[0], &reject, 1);
        }
        assert_int_equal(report.reason_count, REPORT_REASONS_MAX);
        for (size_t i = 0; i < report.reason_count; i++)
                total += report.reasons[i].count;
        assert_int_equal(total, REPORT_REASONS_MAX + 5);
        assert_int_equal(report.counts[IMPORT_allergies].rejected, REPORT_REASONS_MAX + 5);
}

static enum err to_value(void *context)
{
        struct buf value;
        enum err rc;

        buf_init(&value, 0);
        rc = import_report_to_value(context, &BOTH, &value);
        buf_deinit(&value);
        return rc;
}

static void survives_each_failed_allocation(void **state)
{
        struct import_report report;

        (void)state;
        fill(&report);
        each_allocation_fails(to_value, &report);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reasons_keep_their_first_places),
                cmocka_unit_test(people_read_it_in_lines),
                cmocka_unit_test(nothing_left_out_is_not_partial),
                cmocka_unit_test(more_reasons_than_room_still_count),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
