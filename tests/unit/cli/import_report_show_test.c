#include "cli/import_report_show.h"
#include "tests/lib/values.h"

#include <stdlib.h>

static struct import_file FILES[] = {
        {.path = (char *)(uintptr_t) "a/allergies.csv"},
        {.path = (char *)(uintptr_t) "a/careplans.csv", .skipped = true, .why = {.text = "not ours"}},
};
static const struct import_files BOTH = {.files = FILES, .count = 2};
static const struct import_files FIRST = {.files = FILES, .count = 1};
static const struct reject BAD_DATE = {.reason = REJECT_DATE, .field = "START"};
static const struct reject BROKEN = {.reason = REJECT_QUOTES};

static void reject_line(struct import_report *report, const struct reject *reject, uint64_t line)
{
        const struct import_place place = {.path = FILES[0].path, .line = line};

        import_report_reject(report, "allergies", reject, 1);
        import_report_place(report, "allergies", reject, &place);
}

static void fill(struct import_report *report)
{
        struct import_counts *counts;

        *report = (struct import_report){.took = nanos_ms(2250)};
        counts = import_report_counts(report, "allergies");
        counts->rows = 9;
        counts->written = 3;
        counts->unchanged = 1;
        for (uint64_t line = 2; line < 6; line++)
                reject_line(report, &BAD_DATE, line);
        reject_line(report, &BROKEN, 8);
        import_report_ignored(report, "Claim");
        report->rejects = 5;
        report->rejects_path = "rejects.ndjson";
}

static void programs_read_a_value(void **state)
{
        struct import_report report;
        struct buf value;

        (void)state;
        fill(&report);
        buf_init(&value, 0);
        assert_ok(import_report_to_value(&report, &BOTH, &value));
        assert_value_is(buf_slice(&value),
                "{\"tables\":[{\"table\":\"allergies\",\"rows\":9,\"written\":3,\"unchanged\":1,\"duplicates\":0,"
                "\"left_out\":5}],"
                "\"left_out\":[{\"table\":\"allergies\",\"field\":\"START\",\"reason\":\"date\","
                "\"text\":\"not a date\",\"count\":4,\"first\":["
                "\"a/allergies.csv:2\",\"a/allergies.csv:3\",\"a/allergies.csv:4\"]},{\"table\":\"allergies\","
                "\"reason\":\"quotes\",\"text\":\"broken quotes\",\"count\":1,\"first\":[\"a/allergies.csv:8\"]}],"
                "\"ignored\":[{\"kind\":\"Claim\",\"count\":1}],"
                "\"skipped\":[{\"file\":\"a/careplans.csv\",\"why\":\"not ours\"}],"
                "\"rejects\":{\"file\":\"rejects.ndjson\",\"count\":5},\"seconds\":2.25,\"rows_per_second\":4,"
                "\"token\":\"\"}");
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
                                  "left out: 1 allergies, broken quotes\n"
                                  "  a/allergies.csv:8\n"
                                  "not kept: 1 Claim\n"
                                  "skipped: a/careplans.csv: not ours\n"
                                  "rejects: 5 in rejects.ndjson, which holds patient data\n"
                                  "9 rows in 2.2 s, 4 rows/s\n"
                                  "token v1-7\n");
        free(text);
}

static void duplicates_have_a_column_when_there_are_some(void **state)
{
        struct import_report report = {.table_count = 0};
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        (void)state;
        import_report_counts(&report, "students")->duplicate = 2;
        assert_ok(import_report_print(&report, &FIRST, out));
        (void)fclose(out);
        assert_string_equal(text, "table     rows  written  unchanged  duplicates  left_out\n"
                                  "students  0     0        0          2           0\n"
                                  "0 rows in 0.0 s, 0 rows/s\n");
        free(text);
}

/* --full --replace: two tables whose records did not come, and one of them with rows left out. */
static void fill_missing(struct import_report *report)
{
        *report = (struct import_report){
                .full = true, .replace = true, .missing = 5, .missing_path = "missing.ndjson", .only_tried = "dry-run"};
        import_report_counts(report, "visits")->missing = 2;
        import_report_counts(report, "visits")->erased = 2;
        import_report_counts(report, "allergies")->missing = 3;
        import_report_reject(report, "allergies", &BROKEN, 1);
}

static void records_that_did_not_come_are_told(void **state)
{
        struct import_report report;
        struct buf value;

        (void)state;
        fill_missing(&report);
        report.reason_count = 0;
        buf_init(&value, 0);
        assert_ok(import_report_to_value(&report, &FIRST, &value));
        assert_value_is(buf_slice(&value),
                "{\"nothing_written\":\"dry-run\",\"tables\":[{\"table\":\"visits\",\"rows\":0,\"written\":0,"
                "\"unchanged\":0,\"duplicates\":0,\"left_out\":0,\"missing\":2,\"erased\":2},"
                "{\"table\":\"allergies\",\"rows\":0,\"written\":0,\"unchanged\":0,\"duplicates\":0,\"left_out\":1,"
                "\"missing\":3,\"erased\":0}],\"not_replaced\":[\"allergies\"],"
                "\"missing\":{\"file\":\"missing.ndjson\",\"count\":5},\"seconds\":0.0,\"rows_per_second\":0,"
                "\"token\":\"\"}");
        buf_deinit(&value);
}

static void people_are_told_what_became_of_them(void **state)
{
        struct import_report report;
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        (void)state;
        fill_missing(&report);
        report.reason_count = 0;
        assert_ok(import_report_print(&report, &FIRST, out));
        report.replace = false;
        report.only_tried = NULL;
        report.table_count = 1;
        assert_ok(import_report_print(&report, &FIRST, out));
        (void)fclose(out);
        assert_string_equal(text, "table      rows  written  unchanged  left_out  missing  erased\n"
                                  "visits     0     0        0          0         2        2\n"
                                  "allergies  0     0        0          1         3        0\n"
                                  "did not come: 2 visits; removed\n"
                                  "did not come: 3 allergies; they stay, as rows were left out that may be among them\n"
                                  "missing: 5 in missing.ndjson, which holds patient data\n"
                                  "0 rows in 0.0 s, 0 rows/s\n"
                                  "nothing was written (--dry-run)\n"
                                  "table   rows  written  unchanged  left_out  missing  erased\n"
                                  "visits  0     0        0          0         2        2\n"
                                  "did not come: 2 visits; they stay (--replace removes them)\n"
                                  "missing: 5 in missing.ndjson, which holds patient data\n"
                                  "0 rows in 0.0 s, 0 rows/s\n");
        free(text);
}

static void students_who_are_kept_are_told(void **state)
{
        struct import_report report = {.full = true, .replace = true, .kept_students = 1};
        struct buf value;
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        (void)state;
        import_report_counts(&report, "students")->missing = 2;
        import_report_counts(&report, "students")->erased = 1;
        assert_ok(import_report_print(&report, &FIRST, out));
        report.kept_students = 0;
        assert_ok(import_report_print(&report, &FIRST, out));
        report.kept_students = 1;
        (void)fclose(out);
        assert_string_equal(text, "table     rows  written  unchanged  left_out  missing  erased\n"
                                  "students  0     0        0          0         2        1\n"
                                  "did not come: 2 students; removed, with all records, but for those who are kept\n"
                                  "kept: 1 students who did not come, as records of theirs did\n"
                                  "0 rows in 0.0 s, 0 rows/s\n"
                                  "table     rows  written  unchanged  left_out  missing  erased\n"
                                  "students  0     0        0          0         2        1\n"
                                  "did not come: 2 students; removed, with all records\n"
                                  "0 rows in 0.0 s, 0 rows/s\n");
        free(text);
        buf_init(&value, 0);
        assert_ok(import_report_to_value(&report, &FIRST, &value));
        assert_value_is(buf_slice(&value),
                "{\"tables\":[{\"table\":\"students\",\"rows\":0,\"written\":0,\"unchanged\":0,\"duplicates\":0,"
                "\"left_out\":0,\"missing\":2,\"erased\":1}],\"kept_students\":1,\"seconds\":0.0,"
                "\"rows_per_second\":0,\"token\":\"\"}");
        buf_deinit(&value);
}

static void an_empty_report_has_its_members_all_the_same(void **state)
{
        struct import_report report = {.table_count = 0};
        struct buf value;

        (void)state;
        buf_init(&value, 0);
        assert_ok(import_report_to_value(&report, &FIRST, &value));
        assert_value_is(buf_slice(&value), "{\"tables\":[],\"seconds\":0.0,\"rows_per_second\":0,\"token\":\"\"}");
        buf_deinit(&value);
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
                cmocka_unit_test(programs_read_a_value),
                cmocka_unit_test(people_read_it_in_lines),
                cmocka_unit_test(duplicates_have_a_column_when_there_are_some),
                cmocka_unit_test(records_that_did_not_come_are_told),
                cmocka_unit_test(people_are_told_what_became_of_them),
                cmocka_unit_test(students_who_are_kept_are_told),
                cmocka_unit_test(an_empty_report_has_its_members_all_the_same),
                cmocka_unit_test(survives_each_failed_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
