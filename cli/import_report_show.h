/* The report of an import, for programs and for people. */
#ifndef CLI_IMPORT_REPORT_SHOW_H
#define CLI_IMPORT_REPORT_SHOW_H

#include "base/buf.h"
#include "cli/import_files.h"
#include "cli/import_report.h"

#include <stdio.h>

/* Appends the report as a value:
 *      {"tables":   [{"table", "rows", "written", "unchanged", "duplicates", "left_out"}…],
 *       "left_out": [{"table", "field", "reason", "text", "count", "first": ["file:line"…]}…],
 *       "ignored":  [{"kind", "count"}…],      resources of kinds that are not kept
 *       "skipped":  [{"file", "why"}…],
 *       "rejects":  {"file", "count"},         the rejects file
 *       "seconds": 1.5, "rows_per_second": 100000, "token": "…"}
 * where all but `tables`, `seconds`, `rows_per_second` and `token` is left out when there is nothing to say. Errors as
 * buf_append. */
enum err import_report_to_value(
        const struct import_report *report, const struct import_files *files, struct buf *out) MUST_CHECK;

/* Writes the report for people. Errors as print_human. */
enum err import_report_print(
        const struct import_report *report, const struct import_files *files, FILE *out) MUST_CHECK;

#endif
