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

/* Columns that not every table of counts has. */
struct columns {
        bool duplicates;
        bool missing; /* and erased */
};

static enum err put_table(struct buf *out, const struct import_counts *counts, const struct columns *columns)
{
        enum err rc = value_put_map(out, 5u + (columns->duplicates ? 1u : 0u) + (columns->missing ? 2u : 0u));

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(counts->table));
        if (rc == OK)
                rc = put_count(out, "rows", counts->rows);
        if (rc == OK)
                rc = put_count(out, "written", counts->written);
        if (rc == OK)
                rc = put_count(out, "unchanged", counts->unchanged);
        if (rc == OK && columns->duplicates)
                rc = put_count(out, "duplicates", counts->duplicate);
        if (rc == OK)
                rc = put_count(out, "left_out", counts->rejected);
        if (rc == OK && columns->missing)
                rc = put_count(out, "missing", counts->missing);
        return rc == OK && columns->missing ? put_count(out, "erased", counts->erased) : rc;
}

static enum err put_tables(struct buf *out, const struct import_report *report, const struct columns *columns)
{
        enum err rc = value_put_str(out, "tables");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)report->table_count);
        for (size_t i = 0; rc == OK && i < report->table_count; i++)
                rc = put_table(out, &report->tables[i], columns);
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

/* A file that was made, and how many lines it has. */
static enum err put_made(struct buf *out, const char *name, const char *path, uint64_t lines)
{
        enum err rc = value_put_str(out, name);

        if (rc == OK)
                rc = value_put_map(out, 2);
        if (rc == OK)
                rc = put_path(out, path);
        return rc == OK ? put_count(out, "count", lines) : rc;
}

/* Whether records of the table did not come and were to be removed, and are there all the same. */
static bool was_kept(const struct import_report *report, const struct import_counts *counts)
{
        return report->replace && counts->missing > 0 && !import_report_replaces(report, counts->table);
}

static uint32_t count_kept(const struct import_report *report)
{
        uint32_t count = 0;

        for (size_t i = 0; i < report->table_count; i++)
                count += was_kept(report, &report->tables[i]) ? 1 : 0;
        return count;
}

static enum err put_kept(struct buf *out, const struct import_report *report)
{
        enum err rc = value_put_str(out, "not_replaced");

        if (rc == OK)
                rc = value_put_list(out, count_kept(report));
        for (size_t i = 0; rc == OK && i < report->table_count; i++)
                if (was_kept(report, &report->tables[i]))
                        rc = value_put_str(out, report->tables[i].table);
        return rc;
}

static enum err put_lists(struct buf *out, const struct import_report *report, const struct import_files *files)
{
        const struct columns columns = {.duplicates = true, .missing = report->full};
        enum err rc = put_tables(out, report, &columns);

        if (rc == OK && report->reason_count > 0)
                rc = put_reasons(out, report);
        if (rc == OK && report->ignored_count > 0)
                rc = put_ignored(out, report);
        if (rc == OK && count_skipped(files) > 0)
                rc = put_skipped(out, files);
        if (rc == OK && count_kept(report) > 0)
                rc = put_kept(out, report);
        if (rc == OK && report->kept_students > 0)
                rc = put_count(out, "kept_students", report->kept_students);
        if (rc == OK && report->rejects_path != NULL)
                rc = put_made(out, "rejects", report->rejects_path, report->rejects);
        if (rc == OK && report->missing_path != NULL)
                rc = put_made(out, "missing", report->missing_path, report->missing);
        return rc;
}

static uint32_t count_members(const struct import_report *report, const struct import_files *files)
{
        const bool there[] = {report->reason_count > 0, report->ignored_count > 0, count_skipped(files) > 0,
                count_kept(report) > 0, report->kept_students > 0, report->rejects_path != NULL,
                report->missing_path != NULL, report->only_tried != NULL};
        uint32_t members = 4; /* tables, seconds, rows_per_second, token */

        for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
                members += there[i] ? 1 : 0;
        return members;
}

enum err import_report_to_value(const struct import_report *report, const struct import_files *files, struct buf *out)
{
        enum err rc = value_put_map(out, count_members(report, files));

        if (rc == OK && report->only_tried != NULL)
                rc = value_put_member(out, "nothing_written", slice_str(report->only_tried));
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
        const struct columns columns = {.duplicates = has_duplicates(report), .missing = report->full};
        struct buf value;
        struct slice tables;
        enum err rc;

        buf_init(&value, 0);
        rc = value_put_map(&value, 1);
        if (rc == OK)
                rc = put_tables(&value, report, &columns);
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

static const char *fate_of_removed(const struct import_report *report, const struct import_counts *counts)
{
        if (strcmp(counts->table, "students") != 0)
                return "removed";
        return report->kept_students > 0 ? "removed, with all records, but for those who are kept"
                                         : "removed, with all records";
}

/* What became of records that did not come. */
static void print_missing(FILE *out, const struct import_report *report, const struct import_counts *counts)
{
        const char *fate = "they stay (--replace removes them)";

        if (counts->missing == 0)
                return;
        if (report->too_much != NULL)
                fate = "they stay, as too much would be removed (--replace-most removes it)";
        else if (was_kept(report, counts))
                fate = "they stay, as rows were left out that may be among them";
        else if (report->replace)
                fate = fate_of_removed(report, counts);
        fprintf(out, "did not come: %llu %s; %s\n", (unsigned long long)counts->missing, counts->table, fate);
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
        for (size_t i = 0; i < report->table_count; i++)
                print_missing(out, report, &report->tables[i]);
        if (report->kept_students > 0)
                fprintf(out, "kept: %llu students who did not come, as records of theirs did\n",
                        (unsigned long long)report->kept_students);
        if (report->rejects_path != NULL)
                fprintf(out, "rejects: %llu in %s, which holds patient data\n", (unsigned long long)report->rejects,
                        report->rejects_path);
        if (report->missing_path != NULL)
                fprintf(out, "missing: %llu in %s, which holds patient data\n", (unsigned long long)report->missing,
                        report->missing_path);
        print_time(out, report);
        if (report->only_tried != NULL)
                fprintf(out, "nothing was written (--%s)\n", report->only_tried);
        if (report->token[0] != '\0')
                fprintf(out, "token %s\n", report->token);
        return rc;
}
