/* The steps of an import: every file read, its rows sent to the server, what is left out counted. */
#ifndef CLI_IMPORT_RUN_H
#define CLI_IMPORT_RUN_H

#include "cli/cli.h"
#include "cli/import_files.h"
#include "cli/import_progress.h"
#include "cli/import_rejects.h"
#include "cli/import_report.h"
#include "cli/line_file.h"
#include "import/import_names.h"

/* How it is to be done. */
struct import_options {
        bool dry_run;      /* write nothing; the report says what would be */
        bool strict;       /* write nothing when any row would be left out: everything is read twice */
        bool full;         /* the input is all there is: look for records that did not come */
        bool replace;      /* and remove them */
        bool replace_most; /* also where that is more than half of a table */
};

/* What one import works with; all borrowed. */
struct import_run {
        struct import_options options;
        struct cli *cli; /* connected */
        const struct import_files *files;
        struct import_report *report;
        struct import_progress *progress; /* started */
        struct import_rejects *rejects;   /* takes what is left out */
        struct line_file *missing;        /* with `full`: takes the records that did not come */
        struct import_names *names;       /* of tables: the report's are among them */
        struct slice prefix;              /* put before each student's id; may be empty */
        struct slice today;               /* YYYY-MM-DD: what ends later has not ended */
};

/* Imports the files, in their order. What was acknowledged stands in the report also when this fails. ERR_UNAVAILABLE:
 * the connection broke. ERR_INTERNAL: the server cannot import at all, *msg is its error. ERR_IO, ERR_BADVALUE,
 * ERR_NOTFOUND: a file cannot be read, *msg names it. ERR_NOMEM. */
enum err import_run(const struct import_run *run, struct err_msg *msg) MUST_CHECK;

#endif
