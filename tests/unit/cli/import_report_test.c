#include "cli/import_report.h"
#include "tests/lib/test.h"

static const struct reject BAD_DATE = {.reason = REJECT_DATE, .field = "START"};

static void reasons_keep_their_first_places(void **state)
{
        struct import_report report = {.table_count = 0};

        (void)state;
        assert_false(import_report_is_partial(&report));
        for (uint64_t line = 2; line < 6; line++) {
                const struct import_place place = {.path = "a.csv", .line = line};

                import_report_reject(&report, "allergies", &BAD_DATE, 1);
                import_report_place(&report, "allergies", &BAD_DATE, &place);
        }
        import_report_reject(&report, "conditions", &BAD_DATE, 2);
        assert_true(import_report_is_partial(&report));
        assert_int_equal(report.reason_count, 2);
        assert_int_equal(report.reasons[0].count, 4);
        assert_int_equal(report.reasons[0].places, 3);
        assert_int_equal(report.reasons[0].first[2].line, 4);
        assert_int_equal(import_report_counts(&report, "allergies")->rejected, 4);
        assert_int_equal(import_report_counts(&report, "conditions")->rejected, 2);
}

static void more_reasons_than_room_still_count(void **state)
{
        struct import_report report = {.table_count = 0};
        uint64_t total = 0;

        (void)state;
        for (unsigned i = 0; i < REPORT_REASONS_MAX + 5; i++) {
                struct reject reject = reject_of(REJECT_DATE, "COLUMN??");

                reject.field[6] = (char)('a' + i / 26);
                reject.field[7] = (char)('a' + i % 26);
                import_report_reject(&report, "allergies", &reject, 1);
        }
        assert_int_equal(report.reason_count, REPORT_REASONS_MAX);
        for (size_t i = 0; i < report.reason_count; i++)
                total += report.reasons[i].count;
        assert_int_equal(total, REPORT_REASONS_MAX + 5);
        assert_int_equal(import_report_counts(&report, "allergies")->rejected, REPORT_REASONS_MAX + 5);
}

static void tables_are_counted_by_name(void **state)
{
        static char names[REPORT_TABLES_MAX + 3][4];
        struct import_report report = {.table_count = 0};

        (void)state;
        import_report_counts(&report, "visits")->rows += 3;
        import_report_counts(&report, NULL)->rows++;
        assert_string_equal(report.tables[1].table, "unknown");
        assert_int_equal(import_report_rows(&report), 4);
        for (size_t i = 0; i < REPORT_TABLES_MAX + 3; i++) {
                names[i][0] = (char)('a' + i);
                import_report_counts(&report, names[i])->rows++;
        }
        assert_int_equal(report.table_count, REPORT_TABLES_MAX);
        assert_int_equal(import_report_rows(&report), 4 + REPORT_TABLES_MAX + 3);
}

static void kinds_that_are_not_kept_are_counted_and_made_fit_to_be_shown(void **state)
{
        struct import_report report = {.table_count = 0};
        char kind[8] = "Kind-aa";

        (void)state;
        import_report_ignored(&report, "Claim");
        import_report_ignored(&report, "\x1b[31m");
        import_report_ignored(&report, "Claim");
        assert_int_equal(report.ignored_count, 2);
        assert_int_equal(report.ignored[0].count, 2);
        assert_string_equal(report.ignored[1].kind, "?[31m");
        for (unsigned i = 0; i < REPORT_IGNORED_MAX; i++) {
                kind[5] = (char)('a' + i / 26);
                kind[6] = (char)('a' + i % 26);
                import_report_ignored(&report, kind);
        }
        assert_int_equal(report.ignored_count, REPORT_IGNORED_MAX);
        assert_string_equal(report.ignored[REPORT_IGNORED_MAX - 1].kind, "others");
        assert_int_equal(report.ignored[REPORT_IGNORED_MAX - 1].count, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reasons_keep_their_first_places),
                cmocka_unit_test(more_reasons_than_room_still_count),
                cmocka_unit_test(tables_are_counted_by_name),
                cmocka_unit_test(kinds_that_are_not_kept_are_counted_and_made_fit_to_be_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
