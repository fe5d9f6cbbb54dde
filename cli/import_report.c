#include "cli/import_report.h"

#include "cli/print.h"
#include "database/value.h"

/* The entry of a reason; made when there is none. The last entry takes what does not fit any more. */
static struct import_reason_count *find_reason(
        struct import_report *report, enum import_kind kind, const struct reject *reject)
{
        struct import_reason_count *entry;

        for (size_t i = 0; i < report->reason_count; i++) {
                entry = &report->reasons[i];
                if (entry->kind == kind && reject_equal(&entry->reject, reject))
                        return entry;
        }
        if (report->reason_count == REPORT_REASONS_MAX)
                return &report->reasons[REPORT_REASONS_MAX - 1];
        entry = &report->reasons[report->reason_count++];
        *entry = (struct import_reason_count){.kind = kind, .reject = *reject};
        return entry;
}

void import_report_reject(
        struct import_report *report, const struct import_file *file, const struct reject *reject, uint64_t count)
{
        find_reason(report, file->kind, reject)->count += count;
        report->counts[file->kind].rejected += count;
}

void import_report_place(
        struct import_report *report, const struct import_file *file, const struct reject *reject, uint64_t line)
{
        struct import_reason_count *entry = find_reason(report, file->kind, reject);

        if (entry->places == REPORT_PLACES_MAX)
                return;
        entry->first[entry->places].path = file->path;
        entry->first[entry->places].line = line;
        entry->places++;
}

bool import_report_wants_place(
        const struct import_report *report, const struct import_file *file, const struct reject *reject)
{
        for (size_t i = 0; i < report->reason_count; i++) {
                const struct import_reason_count *entry = &report->reasons[i];

                if (entry->kind == file->kind && reject_equal(&entry->reject, reject))
                        return entry->places < REPORT_PLACES_MAX;
        }
        return true;
}

bool import_report_is_partial(const struct import_report *report)
{
        return report->reason_count > 0;
}

/* ---- as a value ---- */

static enum err put_count(struct buf *out, const char *name, uint64_t count)
{
        enum err rc = value_put_str(out, name);

        return rc == OK ? value_put_int(out, (int64_t)count) : rc;
}

static enum err put_table(struct buf *out, enum import_kind kind, const struct import_counts *counts)
{
        enum err rc = value_put_map(out, 5);

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(import_table_name(kind)));
        if (rc == OK)
                rc = put_count(out, "rows", counts->rows);
        if (rc == OK)
                rc = put_count(out, "written", counts->written);
        if (rc == OK)
                rc = put_count(out, "unchanged", counts->unchanged);
        return rc == OK ? put_count(out, "left_out", counts->rejected) : rc;
}

static enum err put_tables(struct buf *out, const struct import_report *report)
{
        uint32_t count = 0;
        size_t mark;
        enum err rc = value_put_str(out, "tables");

        if (rc == OK)
                rc = value_open_list(out, &mark);
        for (enum import_kind kind = 0; rc == OK && kind < IMPORT_KIND_COUNT; kind++) {
                if (!report->seen[kind])
                        continue;
                rc = put_table(out, kind, &report->counts[kind]);
                count++;
        }
        if (rc == OK)
                value_close(out, mark, count);
        return rc;
}

/* "START: not a date" */
static enum err append_reason(struct buf *out, const struct reject *reject)
{
        return buf_printf(
                out, "%s%s%s", reject->field, reject->field[0] == '\0' ? "" : ": ", reject_text(reject->reason));
}

static enum err put_reason_text(struct buf *out, const struct reject *reject)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = append_reason(&text, reject);
        if (rc == OK)
                rc = value_put_member(out, "reason", buf_slice(&text));
        buf_deinit(&text);
        return rc;
}

static enum err put_place(struct buf *out, const char *path, uint64_t line)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = buf_printf(&text, "%s:%llu", path, (unsigned long long)line);
        if (rc == OK)
                rc = value_put_text(out, buf_slice(&text));
        buf_deinit(&text);
        return rc;
}

static enum err put_places(struct buf *out, const struct import_reason_count *entry)
{
        enum err rc = value_put_str(out, "first");

        if (rc == OK)
                rc = value_put_list(out, (uint32_t)entry->places);
        for (size_t i = 0; rc == OK && i < entry->places; i++)
                rc = put_place(out, entry->first[i].path, entry->first[i].line);
        return rc;
}

static enum err put_reason(struct buf *out, const struct import_reason_count *entry)
{
        enum err rc = value_put_map(out, 4);

        if (rc == OK)
                rc = value_put_member(out, "table", slice_str(import_table_name(entry->kind)));
        if (rc == OK)
                rc = put_reason_text(out, &entry->reject);
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
                        rc = value_put_member(out, "file", slice_str(file->path));
                if (rc == OK)
                        rc = value_put_member(out, "why", slice_str(file->why.text));
        }
        return rc;
}

enum err import_report_to_value(const struct import_report *report, const struct import_files *files, struct buf *out)
{
        bool skipped = count_skipped(files) > 0;
        uint32_t members = 2u + (import_report_is_partial(report) ? 1u : 0u) + (skipped ? 1u : 0u);
        enum err rc = value_put_map(out, members);

        if (rc == OK)
                rc = put_tables(out, report);
        if (rc == OK && import_report_is_partial(report))
                rc = put_reasons(out, report);
        if (rc == OK && skipped)
                rc = put_skipped(out, files);
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
                rc = put_tables(&value, report);
        if (rc == OK && value_member(buf_slice(&value), "tables", &tables))
                rc = print_human(out, tables, print_width(out));
        buf_deinit(&value);
        return rc;
}

static enum err print_reason(FILE *out, const struct import_reason_count *entry)
{
        struct buf text;
        enum err rc;

        buf_init(&text, 0);
        rc = append_reason(&text, &entry->reject);
        if (rc == OK)
                fprintf(out, "left out: %llu %s, %.*s\n", (unsigned long long)entry->count,
                        import_table_name(entry->kind), SLICE_ARG(buf_slice(&text)));
        for (size_t i = 0; rc == OK && i < entry->places; i++)
                fprintf(out, "  %s:%llu\n", entry->first[i].path, (unsigned long long)entry->first[i].line);
        if (rc == OK && entry->count > entry->places)
                fprintf(out, "  and %llu more\n", (unsigned long long)(entry->count - entry->places));
        buf_deinit(&text);
        return rc;
}

enum err import_report_print(const struct import_report *report, const struct import_files *files, FILE *out)
{
        enum err rc = print_tables(out, report);

        for (size_t i = 0; rc == OK && i < report->reason_count; i++)
                rc = print_reason(out, &report->reasons[i]);
        for (size_t i = 0; i < files->count; i++)
                if (files->files[i].skipped)
                        fprintf(out, "skipped: %s: %s\n", files->files[i].path, files->files[i].why.text);
        if (report->token[0] != '\0')
                fprintf(out, "token %s\n", report->token);
        return rc;
}
