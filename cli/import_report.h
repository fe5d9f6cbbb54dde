/* What an import did: counts by table, reasons with the first places, what was passed over; no patient data. */
#ifndef CLI_IMPORT_REPORT_H
#define CLI_IMPORT_REPORT_H

#include "base/clock.h"
#include "database/reject.h"

#include <stdint.h>

enum {
        REPORT_TABLES_MAX = 16,
        REPORT_REASONS_MAX = 64,
        REPORT_PLACES_MAX = 3,
        REPORT_IGNORED_MAX = 64,
        REPORT_KIND_SIZE = 48
};

struct import_counts {
        const char *table; /* a literal */
        uint64_t rows;     /* read */
        uint64_t written;
        uint64_t unchanged;
        uint64_t duplicate; /* equal to one before it */
        uint64_t rejected;
        uint64_t stored;  /* --full: records of the server that were compared */
        uint64_t missing; /* of them, those that did not come */
        uint64_t erased;  /* of them, removed */
};

/* The table of what is left out when it is not known of which it was. */
#define REPORT_TABLE_UNKNOWN "unknown"

/* Where a row stands. */
struct import_place {
        const char *path; /* borrowed from the import's files */
        uint64_t line;
};

/* Rows left out for one reason. */
struct import_reason_count {
        const char *table; /* a literal */
        struct reject reject;
        uint64_t count;
        size_t places;
        struct import_place first[REPORT_PLACES_MAX];
};

/* Resources of a kind that is not kept. */
struct import_ignored {
        char kind[REPORT_KIND_SIZE]; /* cut at the size */
        uint64_t count;
};

struct import_report {
        struct import_counts tables[REPORT_TABLES_MAX]; /* in the order of their first rows */
        size_t table_count;
        struct import_reason_count reasons[REPORT_REASONS_MAX];
        size_t reason_count;
        struct import_ignored ignored[REPORT_IGNORED_MAX];
        size_t ignored_count;
        const char *rejects_path; /* of the rejects file; NULL: none was made */
        uint64_t rejects;         /* lines in it */
        const char *only_tried;   /* why nothing was written, the counts saying what would be: "dry-run", "strict" */
        bool full;                /* missing and erased are counted */
        bool replace;             /* what did not come was to be removed */
        uint64_t kept_students;   /* of those to be removed, who are there as records of theirs came */
        const struct import_counts
                *too_much;        /* a table so much of which did not come that nothing was removed; or NULL */
        const char *missing_path; /* of the file of missing records; NULL: none was made */
        uint64_t missing;         /* lines in it */
        struct nanos took;        /* from the first byte to the last acknowledgement */
        char token[64];           /* of the last batch; "" before there is one */
};

/* The counts of a table (a literal; NULL: not known), made at its first call; the last entry takes what does not fit
 * any more. Never NULL; valid as long as the report. */
struct import_counts *import_report_counts(struct import_report *report, const char *table);

/* Rows of all tables read so far. */
uint64_t import_report_rows(const struct import_report *report);

/* Counts `count` rows of the table left out for a reason. */
void import_report_reject(struct import_report *report, const char *table, const struct reject *reject, uint64_t count);

/* Notes a place as one of the first of a reason that was counted; nothing when it has enough. */
void import_report_place(
        struct import_report *report, const char *table, const struct reject *reject, const struct import_place *place);

/* Counts a resource of a kind that is not kept; the kind is copied as by print_plain. */
void import_report_ignored(struct import_report *report, const char *kind);

/* Whether records of the table that did not come may be removed: it is not too much; no row was left out that was, or
 * may be, of it (of any table, when it is "students", with whom all records go); and it is not "merges", whose removal
 * would part people again. */
bool import_report_replaces(const struct import_report *report, const char *table);

/* Whether any row was left out. */
bool import_report_is_partial(const struct import_report *report);

#endif
