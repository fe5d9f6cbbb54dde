/* What the commands that work on the database itself say at their end: one value, as JSON or as lines for people. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/clock.h"
#include "cli/cli.h"
#include "database/value.h"

/* Built member by member; the first failure sticks, and is told by report_show. */
struct report {
        struct buf value;
        struct buf listed; /* the names given to report_listed, each with its NUL */
        size_t mark;
        uint32_t members;
        enum err status;
};

/* An empty one; deinit it in any case. */
void report_init(struct report *report);
/* Frees it. */
void report_deinit(struct report *report);

/* Adds a member. `text` is valid UTF-8, or is shown with '?' in its place. */
void report_text(struct report *report, const char *name, const char *text);
/* The same with a name that may come again: "name", then "name (2)". */
void report_listed(struct report *report, const char *name, const char *text);
void report_number(struct report *report, const char *name, uint64_t number);
void report_flag(struct report *report, const char *name, bool flag);
void report_seconds(struct report *report, const char *name, struct nanos span);

/* Writes it to `out`, for people when cli->human or when `out` is cli->err. EXIT_OK, or the failure's exit code. */
enum cli_exit report_show(struct report *report, struct cli *cli, FILE *out) MUST_CHECK;

#endif
