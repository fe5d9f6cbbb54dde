/* An export: the records of a server as lines of JSON, read piece by piece. */
#ifndef CLI_EXPORT_RUN_H
#define CLI_EXPORT_RUN_H

#include "cli/conn.h"
#include "cli/import_progress.h"

#include <stdio.h>

struct export_plan {
        struct conn *conn;
        const char *tables;  /* names with commas between them; NULL: all */
        const char *student; /* NULL: all */
        bool originals;      /* the resources that records were made of, in place of the records */
        FILE *out;           /* where the lines go */
        struct import_progress *progress;
        /* Told of each table that is left out of an export of all, as the configuration no longer has it. */
        void (*left_out)(void *context, const char *table, uint64_t records);
        void *context;
};

struct export_counts {
        uint64_t records;
        uint64_t without_original; /* with plan->originals: those that have none */
        uint64_t bytes;
};

/* Writes all that the plan asks for; students come before other records, so that the lines can be imported as they are.
 * What is written while it lasts may be in it or not. Leaves the connection in msgpack. ERR_UNAVAILABLE: the connection
 * broke; ERR_INTERNAL: the server's error; ERR_IO, ERR_NOMEM. */
enum err export_run(const struct export_plan *plan, struct export_counts *counts, struct err_msg *msg) MUST_CHECK;

#endif
