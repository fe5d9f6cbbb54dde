/* How far an import is, shown while it runs: on a terminal a line that is written over itself, else a line every five
 * seconds. By bytes read, as the number of rows is not known before the end. */
#ifndef CLI_IMPORT_PROGRESS_H
#define CLI_IMPORT_PROGRESS_H

#include "base/clock.h"

#include <stdio.h>

enum progress_style { PROGRESS_NONE, PROGRESS_BAR, PROGRESS_LINES };

/* Where an import is. */
struct progress_at {
        const char *path; /* the input under way */
        uint64_t bytes;   /* read of all inputs so far; packed ones, where they are packed */
        uint64_t rows;
};

struct import_progress {
        enum progress_style style;
        FILE *out;          /* borrowed */
        size_t width;       /* of the terminal; 0: ask it */
        uint64_t total;     /* bytes of all inputs; 0: not known */
        struct nanos shown; /* when */
        struct progress_at last;
        double byte_rate; /* a second; of late, as what is left is read at this speed */
        double row_rate;
        size_t drawn; /* columns of the bar that stands there */
};

/* Begins, at no bytes; also a second time. The caller has set style, out, width and total, and all else is zero. */
void import_progress_start(struct import_progress *progress, struct nanos now);

/* To be called often: shows where the import is when it is time to (bar: ten times a second). */
void import_progress_show(struct import_progress *progress, const struct progress_at *at, struct nanos now);

/* Says in place of the bar what is done after the last byte. Nothing when there is no bar. */
void import_progress_say(struct import_progress *progress, const char *what);

/* Clears the bar, so that what is written next has the line for itself. May be called at any time, and twice. */
void import_progress_end(struct import_progress *progress);

#endif
