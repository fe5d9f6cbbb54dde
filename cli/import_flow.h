/* The way of rows through an import, from the readers to the server (the picture is in the .c): what came before is
 * held back, the rest is sent, and what had to wait is settled when the input has ended. Not thread-safe: one owner. */
#ifndef CLI_IMPORT_FLOW_H
#define CLI_IMPORT_FLOW_H

#include "cli/conn.h"
#include "cli/import_line.h"
#include "cli/import_seen.h"

struct import_flow;

/* Gets each row that is left out, once, with why. Any result but OK ends the import with that result. */
typedef enum err (*import_flow_fn)(
        void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg);

struct import_flow_config {
        struct conn *conn;            /* borrowed; nothing else may be sent on it until the flow is destroyed */
        struct import_report *report; /* borrowed: gets counts but for rows read and rows left out, and the token */
        import_flow_fn left_out;
        void *context;
        bool dry_run;  /* nothing is written; the counts say what would be */
        bool owners;   /* remember of whom records came */
        size_t memory; /* bytes for what is remembered of all rows */
        size_t filter; /* of them, for the filter of import_seen.h */
        uint64_t seed; /* random */
};

/* Prepares the connection, too. ERR_UNAVAILABLE, ERR_INTERNAL with the server's error, ERR_NOMEM; *out is NULL then. */
enum err import_flow_create(
        struct import_flow **out, const struct import_flow_config *config, struct err_msg *msg) MUST_CHECK;
void import_flow_destroy(struct import_flow **flow);

/* Takes a row (a copy; table and path stay borrowed). Errors as import_send_row; ERR_IO when rows that have to wait
 * cannot be put aside. */
enum err import_flow_row(struct import_flow *flow, const struct import_line *line, struct err_msg *msg) MUST_CHECK;

/* The end of the input: afterwards every row is acknowledged, counted as a duplicate, or left out. Errors as above. */
enum err import_flow_finish(struct import_flow *flow, struct err_msg *msg) MUST_CHECK;

/* What came: the names of all rows of the input. Borrowed; complete after the finish. */
const struct import_seen *import_flow_seen(const struct import_flow *flow);

/* Of whom records came, whatever became of these: marks of their names in the table "students", by the ids in the rows,
 * some more than once. Empty without config.owners. Borrowed; complete after the finish. */
const struct mark_log *import_flow_owners(const struct import_flow *flow);

#endif
