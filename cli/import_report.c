#include "cli/import_report.h"

#include "cli/print.h"

#include <stdio.h>

static const char *table_name(const char *table)
{
        return table == NULL ? REPORT_TABLE_UNKNOWN : table;
}

struct import_counts *import_report_counts(struct import_report *report, const char *table)
{
        const char *name = table_name(table);
        struct import_counts *entry;

        for (size_t i = 0; i < report->table_count; i++) {
                entry = &report->tables[i];
                if (entry->table == name || strcmp(entry->table, name) == 0)
                        return entry;
        }
        if (report->table_count == REPORT_TABLES_MAX)
                return &report->tables[REPORT_TABLES_MAX - 1];
        entry = &report->tables[report->table_count++];
        *entry = (struct import_counts){.table = name};
        return entry;
}

uint64_t import_report_rows(const struct import_report *report)
{
        uint64_t rows = 0;

        for (size_t i = 0; i < report->table_count; i++)
                rows += report->tables[i].rows;
        return rows;
}

/* ---- reasons ---- */

/* The place of a reason's entry; `reason_count` when there is none. */
static size_t find_reason(const struct import_report *report, const char *table, const struct reject *reject)
{
        size_t i;

        for (i = 0; i < report->reason_count; i++) {
                const struct import_reason_count *entry = &report->reasons[i];

                if (strcmp(entry->table, table_name(table)) == 0 && reject_equal(&entry->reject, reject))
                        break;
        }
        return i;
}

/* The entry of a reason; made when there is none. The last entry takes what does not fit any more. */
static struct import_reason_count *reason_entry(
        struct import_report *report, const char *table, const struct reject *reject)
{
        size_t at = find_reason(report, table, reject);

        if (at == REPORT_REASONS_MAX)
                return &report->reasons[REPORT_REASONS_MAX - 1];
        if (at == report->reason_count) {
                report->reasons[at] = (struct import_reason_count){.table = table_name(table), .reject = *reject};
                report->reason_count++;
        }
        return &report->reasons[at];
}

void import_report_reject(struct import_report *report, const char *table, const struct reject *reject, uint64_t count)
{
        reason_entry(report, table, reject)->count += count;
        import_report_counts(report, table)->rejected += count;
}

void import_report_place(
        struct import_report *report, const char *table, const struct reject *reject, const struct import_place *place)
{
        struct import_reason_count *entry = reason_entry(report, table, reject);

        if (entry->places < REPORT_PLACES_MAX)
                entry->first[entry->places++] = *place;
}

bool import_report_is_partial(const struct import_report *report)
{
        return report->reason_count > 0;
}

/* ---- what is not kept ---- */

/* The last entry stands for all kinds past the others. */
static struct import_ignored *ignored_entry(struct import_report *report, const char *kind)
{
        char name[REPORT_KIND_SIZE];
        struct import_ignored *entry;

        print_plain(name, sizeof(name), kind);
        for (size_t i = 0; i < report->ignored_count; i++)
                if (strcmp(report->ignored[i].kind, name) == 0)
                        return &report->ignored[i];
        if (report->ignored_count == REPORT_IGNORED_MAX)
                return &report->ignored[REPORT_IGNORED_MAX - 1];
        entry = &report->ignored[report->ignored_count++];
        memcpy(entry->kind, name, sizeof(name));
        if (report->ignored_count == REPORT_IGNORED_MAX)
                (void)snprintf(entry->kind, sizeof(entry->kind), "others");
        return entry;
}

void import_report_ignored(struct import_report *report, const char *kind)
{
        ignored_entry(report, kind)->count++;
}

bool import_report_replaces(const struct import_report *report, const char *table)
{
        const bool students = strcmp(table, "students") == 0;

        for (size_t i = 0; i < report->table_count; i++) {
                const struct import_counts *counts = &report->tables[i];
                bool concerns = students || strcmp(counts->table, table) == 0 ||
                                strcmp(counts->table, REPORT_TABLE_UNKNOWN) == 0;

                if (counts->rejected > 0 && concerns)
                        return false;
        }
        return report->too_much == NULL && strcmp(table, "merges") != 0;
}
