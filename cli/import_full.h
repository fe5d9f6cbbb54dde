/* After an import whose input is all there is (--full): which records the server has that did not come, and, with
 * --replace, their removal. The essay is in the .c. */
#ifndef CLI_IMPORT_FULL_H
#define CLI_IMPORT_FULL_H

#include "cli/conn.h"
#include "cli/import_report.h"
#include "cli/import_seen.h"
#include "cli/line_file.h"

struct import_full {
        struct conn *conn;              /* borrowed; in msgpack, nothing on its way */
        struct import_report *report;   /* borrowed: gets the counts, and says of which tables a row was left out */
        const struct import_seen *seen; /* borrowed: what came, settled */
        const struct mark_log *owners;  /* borrowed: with `replace`, of whom records came, as by import_flow_owners() */
        struct line_file *missing;      /* borrowed: gets the records that did not come, as lines of an export */
        struct slice prefix;            /* only students whose ids begin so are judged; empty: all */
        bool replace;                   /* remove them */
        bool replace_most;              /* also where that is more than half of a table */
        bool dry_run;                   /* with `replace`: count them as if they were removed */
        size_t memory;                  /* bytes for the names of what came */
        uint64_t seed;                  /* random */
};

/* Compares the tables of which rows came, and removes; of those that import_report_replaces() says no to, nothing is
 * removed, and of none when more than half of a table would be (report->too_much) without `replace_most`.
 * A student of whom records came stays, and is counted (report->kept_students).
 * ERR_UNAVAILABLE: the connection broke. ERR_INTERNAL with the server's error. ERR_IO, ERR_NOMEM. */
enum err import_full_run(const struct import_full *full, struct err_msg *msg) MUST_CHECK;

#endif
