/* What an import did: counts by table, and reasons with the first places; no patient data. */
#ifndef CLI_IMPORT_REPORT_H
#define CLI_IMPORT_REPORT_H

#include "cli/import_files.h"

#include <stdio.h>

enum { REPORT_REASONS_MAX = 64, REPORT_PLACES_MAX = 3 };

struct import_counts {
        uint64_t rows;
        uint64_t written;
        uint64_t unchanged;
        uint64_t rejected;
};

/* Rows left out for one reason. */
struct import_reason_count {
        enum import_kind kind;
        struct reject reject;
        uint64_t count;
        size_t places;
        struct {
                const char *path; /* borrowed from the import's files */
                uint64_t line;
        } first[REPORT_PLACES_MAX];
};

struct import_report {
        bool seen[IMPORT_KIND_COUNT]; /* there was a file of the table */
        struct import_counts counts[IMPORT_KIND_COUNT];
        struct import_reason_count reasons[REPORT_REASONS_MAX];
        size_t reason_count;
        char token[64]; /* of the last batch; "" before there is one */
};

/* Counts `count` rows of the file left out for a reason. */
void import_report_reject(
        struct import_report *report, const struct import_file *file, const struct reject *reject, uint64_t count);

/* Notes a line as one of the first places of a reason that was counted; nothing when it has enough. */
void import_report_place(
        struct import_report *report, const struct import_file *file, const struct reject *reject, uint64_t line);

/* Whether the reason still wants places. */
bool import_report_wants_place(
        const struct import_report *report, const struct import_file *file, const struct reject *reject);

/* Whether any row was left out. */
bool import_report_is_partial(const struct import_report *report);

/* Appends the report as a value: {"tables": […], "left_out": […], "skipped": […], "token": …}; lists that would be
 * empty are left out. Errors as buf_append. */
enum err import_report_to_value(
        const struct import_report *report, const struct import_files *files, struct buf *out) MUST_CHECK;

/* Writes the report for people. Errors as print_human. */
enum err import_report_print(
        const struct import_report *report, const struct import_files *files, FILE *out) MUST_CHECK;

#endif
