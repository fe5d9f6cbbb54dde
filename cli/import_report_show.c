#include "cli/import_report_show.h"

#include "cli/print.h"
#include "database/value.h"

#include <limits.h>

static double seconds_of(const struct import_report *report)
{
        return (double)nanos_to_ms(report->took) / 1000.0;
}

static uint64_t rows_per_second(const struct import_report *report)
{
        double seconds = (double)report->took.ns / (double)NANOS_PER_S;

        return seconds > 0 ? (uint64_t)((double)import_report_rows(report) / seconds) : 0;
}

static bool has_duplicates(const struct import_report *report)
{
        for (size_t i = 0; i < report->table_count; i++)
                if (report->tables[i].duplicate > 0)
                        return true;
        return false;
}

/* ---- as a value ---- */

static enum err put_count(struct buf *out, const char *name, uint64_t count)
{
        enum err rc = value_put_str(out, name);

        return rc == OK ? value_put_int(out, (int64_t)count) : rc;
}

static enum err put_table(struct buf *out, const struct import_counts *counts, bool duplicates)
{
        enum err rc = value_put_map(out, duplicates ? 6 : 5);

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(counts->table));
        if (rc == OK)
                rc = put_count(out, "rows", counts->rows);
        if (rc == OK)
                rc = put_count(out, "written", counts->written);
        if (rc == OK)
                rc = put_count(out, "unchanged", counts->unchanged);
        if (rc == OK && duplicates)
                rc = put_count(out, "duplicates", counts->duplicate);
        return rc == OK ? put_count(out, "left_out", counts->rejected) : rc;
}

/* `duplicates`: with a column for them. */
static enum err put_tables(struct buf *out, const struct import_report *report, bool duplicates)
{
        enum err rc = value_put_str(out, "tables");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)report->table_count);
        for (size_t i = 0; rc == OK && i < report->table_count; i++)
                rc = put_table(out, &report->tables[i], duplicates);
        return rc;
}

static enum err put_path(struct buf *out, const char *path)
{
        char plain[PATH_MAX];

        print_plain(plain, sizeof(plain), path);
        return value_put_member(out, "file", slice_str(plain));
}

static enum err put_place(struct buf *out, const struct import_place *place)
{
        char path[PATH_MAX];
        char text[PATH_MAX + 24];

        print_plain(path, sizeof(path), place->path);
        (void)snprintf(text, sizeof(text), "%s:%llu", path, (unsigned long long)place->line);
        return value_put_str(out, text);
}

static enum err put_places(struct buf *out, const struct import_reason_count *entry)
{
        enum err rc = value_put_str(out, "first");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)entry->places);
        for (size_t i = 0; rc == OK && i < entry->places; i++)
                rc = put_place(out, &entry->first[i]);
        return rc;
}

static enum err put_reason(struct buf *out, const struct import_reason_count *entry)
{
        const struct reject *reject = &entry->reject;
        bool whole = reject->field[0] == '\0';
        enum err rc = value_put_map(out, whole ? 5 : 6);

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(entry->table));
        if (rc == OK && !whole)
                rc = value_put_member(out, "field", slice_str(reject->field));
        if (rc == OK)
                rc = value_put_member(out, "reason", slice_str(reject_word(reject->reason)));
        if (rc == OK)
                rc = value_put_member(out, "text", slice_str(reject_text(reject->reason)));
        if (rc == OK)
                rc = put_count(out, "count", entry->count);
        return rc == OK ? put_places(out, entry) : rc;
}

static enum err put_reasons(struct buf *out, const struct import_report *report)
{
        enum err rc = value_put_str(out, "left_out");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)report->reason_count);
        for (size_t i = 0; rc == OK && i < report->reason_count; i++)
                rc = put_reason(out, &report->reasons[i]);
        return rc;
}

static enum err put_ignored(struct buf *out, const struct import_report *report)
{
        enum err rc = value_put_str(out, "ignored");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)report->ignored_count);
        for (size_t i = 0; rc == OK && i < report->ignored_count; i++) {
                rc = value_put_map(out, 2);
                if (rc == OK)
                        rc = value_put_member(out, "kind", slice_str(report->ignored[i].kind));
                if (rc == OK)
                        rc = put_count(out, "count", report->ignored[i].count);
        }
        return rc;
}

static uint32_t count_skipped(const struct import_files *files)
{
        uint32_t count = 0;

        for (size_t i = 0; i < files->count; i++)
                count += files->files[i].skipped ? 1 : 0;
        return count;
}

static enum err put_skipped(struct buf *out, const struct import_files *files)
{
        enum err rc = value_put_str(out, "skipped");

        if (rc == OK)
                rc = value_put_list(out, count_skipped(files));
        for (size_t i = 0; rc == OK && i < files->count; i++) {
                const struct import_file *file = &files->files[i];

                if (!file->skipped)
                        continue;
                rc = value_put_map(out, 2);
                if (rc == OK)
                        rc = put_path(out, file->path);
                if (rc == OK)
                        rc = value_put_member(out, "why", slice_str(file->why.text));
        }
        return rc;
}

static enum err put_rejects(struct buf *out, const struct import_report *report)
{
        enum err rc = value_put_str(out, "rejects");

        if (rc == OK)
                rc = value_put_map(out, 2);
        if (rc == OK)
                rc = put_path(out, report->rejects_path);
        return rc == OK ? put_count(out, "count", report->rejects) : rc;
}

static enum err put_lists(struct buf *out, const struct import_report *report, const struct import_files *files)
{
        enum err rc = put_tables(out, report, true);

        if (rc == OK && report->reason_count > 0)
                rc = put_reasons(out, report);
        if (rc == OK && report->ignored_count > 0)
                rc = put_ignored(out, report);
        if (rc == OK && count_skipped(files) > 0)
                rc = put_skipped(out, files);
        return rc == OK && report->rejects_path != NULL ? put_rejects(out, report) : rc;
}

enum err import_report_to_value(const struct import_report *report, const struct import_files *files, struct buf *out)
{
        uint32_t members = 4u + (report->reason_count > 0 ? 1u : 0u) + (report->ignored_count > 0 ? 1u : 0u) +
                           (count_skipped(files) > 0 ? 1u : 0u) + (report->rejects_path != NULL ? 1u : 0u);
        enum err rc = value_put_map(out, members);

        if (rc == OK)
                rc = put_lists(out, report, files);
        if (rc == OK)
                rc = value_put_str(out, "seconds");
        if (rc == OK)
                rc = value_put_float(out, seconds_of(report));
        if (rc == OK)
                rc = put_count(out, "rows_per_second", rows_per_second(report));
        return rc == OK ? value_put_member(out, "token", slice_str(report->token)) : rc;
}

/* ---- for people ---- */

static enum err print_tables(FILE *out, const struct import_report *report)
{
        struct buf value;
        struct slice tables;
        enum err rc;

        buf_init(&value, 0);
        rc = value_put_map(&value, 1);
        if (rc == OK)
                rc = put_tables(&value, report, has_duplicates(report));
        if (rc == OK && value_member(buf_slice(&value), "tables", &tables))
                rc = print_human(out, tables, print_width(out));
        buf_deinit(&value);
        return rc;
}

/* "left out: 2 allergies, START: not a date" and the first places. */
static void print_reason(FILE *out, const struct import_reason_count *entry)
{
        const struct reject *reject = &entry->reject;
        char path[PATH_MAX];

        fprintf(out, "left out: %llu %s, %s%s%s\n", (unsigned long long)entry->count, entry->table, reject->field,
                reject->field[0] == '\0' ? "" : ": ", reject_text(reject->reason));
        for (size_t i = 0; i < entry->places; i++) {
                print_plain(path, sizeof(path), entry->first[i].path);
                fprintf(out, "  %s:%llu\n", path, (unsigned long long)entry->first[i].line);
        }
        if (entry->count > entry->places)
                fprintf(out, "  and %llu more\n", (unsigned long long)(entry->count - entry->places));
}

static void print_time(FILE *out, const struct import_report *report)
{
        fprintf(out, "%llu rows in %.1f s, %llu rows/s\n", (unsigned long long)import_report_rows(report),
                seconds_of(report), (unsigned long long)rows_per_second(report));
}

static void print_skipped(FILE *out, const struct import_files *files)
{
        char path[PATH_MAX];

        for (size_t i = 0; i < files->count; i++) {
                if (!files->files[i].skipped)
                        continue;
                print_plain(path, sizeof(path), files->files[i].path);
                fprintf(out, "skipped: %s: %s\n", path, files->files[i].why.text);
        }
}

enum err import_report_print(const struct import_report *report, const struct import_files *files, FILE *out)
{
        enum err rc = print_tables(out, report);

        for (size_t i = 0; i < report->reason_count; i++)
                print_reason(out, &report->reasons[i]);
        for (size_t i = 0; i < report->ignored_count; i++)
                fprintf(out, "not kept: %llu %s\n", (unsigned long long)report->ignored[i].count,
                        report->ignored[i].kind);
        print_skipped(out, files);
        if (report->rejects_path != NULL)
                fprintf(out, "rejects: %llu in %s, which holds patient data\n", (unsigned long long)report->rejects,
                        report->rejects_path);
        print_time(out, report);
        if (report->token[0] != '\0')
                fprintf(out, "token %s\n", report->token);
        return rc;
}
