/* Rows on their way to the server: gathered into batches of one table, each an IMPORT of its own that is durable once
 * it is acknowledged; several batches are on their way at a time, so that the server always has one to work on.
 *
 * The server says of each row that it left out why, and takes the others. Only a batch that it cannot take as a whole
 * (a value nested too deeply, say) is sent again in halves, down to the rows that are the cause.
 *
 *      import_send_row -> gathering[table] -> send_batch -> on_way (WINDOW) -> receive_oldest -> hooks
 *
 * Batches of students go before those of other tables, and merges second: rows of unknown students are left out. */
#ifndef CLI_IMPORT_SEND_H
#define CLI_IMPORT_SEND_H

#include "cli/conn.h"
#include "cli/import_line.h"

struct import_send;

/* Gets the rows that the server has answered for; `line` is borrowed for the call. Any result but OK ends the import
 * with that result. */
struct import_send_hooks {
        enum err (*left_out)(
                void *context, const struct import_line *line, const struct reject *reject, struct err_msg *msg);
        enum err (*taken)(void *context, const struct import_line *line, struct err_msg *msg); /* NULL: nobody asks */
        void *context;
};

struct import_send_config {
        struct conn *conn;            /* borrowed */
        struct import_report *report; /* borrowed: gets what was written and unchanged, and the token */
        struct import_send_hooks hooks;
        bool dry_run; /* the server checks and counts, and writes nothing */
};

/* ERR_NOMEM; *out is NULL then. */
enum err import_send_create(struct import_send **out, const struct import_send_config *config) MUST_CHECK;
void import_send_destroy(struct import_send **send);

/* Tells the server that values come as msgpack, and asks it how large they may be. ERR_UNAVAILABLE; ERR_INTERNAL with
 * the server's error. */
enum err import_send_begin(struct import_send *send, struct err_msg *msg) MUST_CHECK;

/* Takes one row (a copy; table and path stay borrowed until the end). May send, and wait for an older batch. A row that
 * is larger than the server takes goes to the hook at once. ERR_UNAVAILABLE: the connection broke. ERR_INTERNAL: the
 * server cannot import at all; *msg is its error. ERR_NOMEM. What was acknowledged stands in the report. */
enum err import_send_row(struct import_send *send, const struct import_line *line, struct err_msg *msg) MUST_CHECK;

/* Sends what was gathered and waits for every batch. Errors as above. */
enum err import_send_finish(struct import_send *send, struct err_msg *msg) MUST_CHECK;

#endif
