#include "cli/import_send.h"

#include "base/mem.h"
#include "database/value.h"

/* A batch is a commit. The index by time scatters rows, so a commit writes nearly a page for each; the more rows, the
 * more of them share pages (4000 rows: 1.6 times the speed of 1000). Still more would gain little, and hold up the
 * writes of others behind them. */
enum { BATCH_ROWS = 4000, BATCH_BYTES = 1 << 21, WINDOW = 8 };

enum batch_state {
        BATCH_FREE,
        BATCH_SENT,
        BATCH_REFUSED, /* to be sent again, row by row */
        BATCH_UNKNOWN  /* rows of unknown students: their places are to be found */
};

struct batch {
        enum batch_state state;
        const char *path;  /* of the file that the rows come from; borrowed */
        const char *table; /* a literal */
        struct buf rows;   /* a list; its count is open while rows are gathered */
        size_t mark;
        uint32_t count;
        uint64_t lines[BATCH_ROWS];
};

struct import_send {
        struct conn *conn;
        struct import_report *report;
        struct batch ring[WINDOW];
        unsigned oldest; /* on its way */
        unsigned on_way; /* batches sent and not acknowledged; the next slot is the one that gathers */
};

static const struct reject UNKNOWN_STUDENT = {.reason = REJECT_STUDENT, .field = "PATIENT"};
static const struct reject REFUSED_ROW = {.reason = REJECT_SERVER};

enum err import_send_create(struct import_send **out, struct conn *conn, struct import_report *report)
{
        struct import_send *send = vc_calloc(1, sizeof(*send));

        *out = send;
        if (send == NULL)
                return ERR_NOMEM;
        send->conn = conn;
        send->report = report;
        for (size_t i = 0; i < WINDOW; i++)
                buf_init(&send->ring[i].rows, 0);
        return OK;
}

void import_send_destroy(struct import_send **send)
{
        if (*send == NULL)
                return;
        for (size_t i = 0; i < WINDOW; i++)
                buf_deinit(&(*send)->ring[i].rows);
        vc_free(*send);
        *send = NULL;
}

/* ---- replies ---- */

/* What an IMPORT's reply says: {token, written, unchanged, rejected}, flat. */
struct outcome {
        uint64_t written;
        uint64_t unchanged;
        uint64_t unknown;
};

static uint64_t reply_count(const redisReply *value)
{
        return value->type == REDIS_REPLY_INTEGER && value->integer > 0 ? (uint64_t)value->integer : 0;
}

static void keep_token(struct import_report *report, const redisReply *value)
{
        if (value->type == REDIS_REPLY_STRING && (size_t)value->len < sizeof(report->token))
                memcpy(report->token, value->str, (size_t)value->len + 1);
}

static void read_outcome(struct import_send *send, const redisReply *reply, struct outcome *out)
{
        *out = (struct outcome){0};
        if (reply->type != REDIS_REPLY_ARRAY)
                return;
        for (size_t i = 0; i + 1 < reply->elements; i += 2) {
                const redisReply *value = reply->element[i + 1];
                const char *name = reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : "";

                if (strcmp(name, "token") == 0)
                        keep_token(send->report, value);
                else if (strcmp(name, "written") == 0)
                        out->written = reply_count(value);
                else if (strcmp(name, "unchanged") == 0)
                        out->unchanged = reply_count(value);
                else if (strcmp(name, "rejected") == 0)
                        out->unknown = value->elements;
        }
}

static void count_outcome(struct import_send *send, const char *table, const struct outcome *outcome)
{
        struct import_counts *counts = import_report_counts(send->report, table);

        counts->written += outcome->written;
        counts->unchanged += outcome->unchanged;
        if (outcome->unknown > 0)
                import_report_reject(send->report, table, &UNKNOWN_STUDENT, outcome->unknown);
}

/* Errors that are about the rows; all others are about the server, and end the import. */
static bool is_about_rows(const redisReply *reply)
{
        return strncmp(reply->str, "BADVALUE ", 9) == 0 || strncmp(reply->str, "BADKEY ", 7) == 0;
}

static enum err server_failed(const redisReply *reply, struct err_msg *msg)
{
        return err_set(msg, ERR_INTERNAL, "%s", reply->str);
}

/* ---- one row at a time ---- */

static enum err send_rows(struct import_send *send, const char *table, struct slice rows)
{
        struct conn_command command = {.count = 0};
        enum err rc = conn_add(&command, slice_str("IMPORT"));

        if (rc == OK)
                rc = conn_add(&command, slice_str(table));
        if (rc == OK)
                rc = conn_add(&command, rows);
        return rc == OK ? conn_send(send->conn, &command) : rc;
}

static enum err call_one(
        struct import_send *send, const char *table, struct slice row, redisReply **reply, struct err_msg *msg)
{
        struct buf list;
        enum err rc;

        *reply = NULL;
        buf_init(&list, 0);
        rc = value_put_list(&list, 1);
        if (rc == OK)
                rc = buf_append_slice(&list, row);
        if (rc == OK)
                rc = send_rows(send, table, buf_slice(&list));
        buf_deinit(&list);
        return rc == OK ? conn_receive(send->conn, reply, msg) : err_set(msg, rc, "out of memory");
}

static enum err import_one(
        struct import_send *send, const struct batch *batch, uint64_t line, struct slice row, struct err_msg *msg)
{
        const struct import_place place = {.path = batch->path, .line = line};
        bool counted = batch->state == BATCH_UNKNOWN; /* with its batch, already */
        struct outcome outcome;
        redisReply *reply;
        enum err rc = call_one(send, batch->table, row, &reply, msg);

        if (rc != OK)
                return rc;
        if (reply->type == REDIS_REPLY_ERROR && !is_about_rows(reply)) {
                rc = server_failed(reply, msg);
        } else if (reply->type == REDIS_REPLY_ERROR) {
                import_report_reject(send->report, batch->table, &REFUSED_ROW, 1);
                import_report_place(send->report, batch->table, &REFUSED_ROW, &place);
        } else {
                read_outcome(send, reply, &outcome);
                if (!counted)
                        count_outcome(send, batch->table, &outcome);
                if (outcome.unknown > 0)
                        import_report_place(send->report, batch->table, &UNKNOWN_STUDENT, &place);
        }
        freeReplyObject(reply);
        return rc;
}

static enum err settle_batch(struct import_send *send, struct batch *batch, struct err_msg *msg)
{
        struct value_iter rows;
        struct slice row;
        enum err rc = OK;

        if (!value_iter_init(&rows, buf_slice(&batch->rows), VALUE_LIST))
                return err_set(msg, ERR_INTERNAL, "a batch of rows is damaged");
        for (uint32_t i = 0; rc == OK && value_next(&rows, &row); i++) {
                if (batch->state == BATCH_UNKNOWN &&
                        !import_report_wants_place(send->report, batch->table, &UNKNOWN_STUDENT))
                        break;
                rc = import_one(send, batch, batch->lines[i], row, msg);
        }
        batch->state = BATCH_FREE;
        return rc;
}

/* ---- batches ---- */

static enum err take_reply(struct import_send *send, struct batch *batch, const redisReply *reply, struct err_msg *msg)
{
        struct outcome outcome;

        if (reply->type == REDIS_REPLY_ERROR && !is_about_rows(reply))
                return server_failed(reply, msg);
        if (reply->type == REDIS_REPLY_ERROR) {
                batch->state = BATCH_REFUSED;
                return OK;
        }
        read_outcome(send, reply, &outcome);
        count_outcome(send, batch->table, &outcome);
        batch->state = outcome.unknown > 0 && import_report_wants_place(send->report, batch->table, &UNKNOWN_STUDENT)
                               ? BATCH_UNKNOWN
                               : BATCH_FREE;
        return OK;
}

static enum err receive_oldest(struct import_send *send, struct err_msg *msg)
{
        struct batch *batch = &send->ring[send->oldest];
        redisReply *reply;
        enum err rc = conn_receive(send->conn, &reply, msg);

        if (rc != OK)
                return rc;
        rc = take_reply(send, batch, reply, msg);
        freeReplyObject(reply);
        send->oldest = (send->oldest + 1) % WINDOW;
        send->on_way--;
        return rc;
}

/* Waits for all that is on its way, then sends row by row what has to be. */
static enum err drain(struct import_send *send, struct err_msg *msg)
{
        enum err rc = OK;

        while (rc == OK && send->on_way > 0)
                rc = receive_oldest(send, msg);
        for (unsigned i = 0; rc == OK && i < WINDOW; i++)
                if (send->ring[i].state == BATCH_REFUSED || send->ring[i].state == BATCH_UNKNOWN)
                        rc = settle_batch(send, &send->ring[i], msg);
        return rc;
}

static struct batch *gathering(struct import_send *send)
{
        return &send->ring[(send->oldest + send->on_way) % WINDOW];
}

static enum err send_batch(struct import_send *send, struct err_msg *msg)
{
        struct batch *batch = gathering(send);
        enum err rc;

        value_close(&batch->rows, batch->mark, batch->count);
        rc = send_rows(send, batch->table, buf_slice(&batch->rows));
        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        batch->state = BATCH_SENT;
        batch->count = 0;
        send->on_way++;
        if (send->on_way == WINDOW)
                rc = receive_oldest(send, msg);
        /* the slot that gathers next must be free */
        return rc == OK && gathering(send)->state != BATCH_FREE ? drain(send, msg) : rc;
}

static enum err begin_batch(struct batch *batch, const char *path, const char *table)
{
        batch->path = path;
        batch->table = table;
        buf_truncate(&batch->rows, 0);
        return value_open_list(&batch->rows, &batch->mark);
}

/* The batch under way when the row is of its table; else the next one. */
static enum err batch_for(struct import_send *send, const char *path, const char *table, struct err_msg *msg)
{
        const struct batch *batch = gathering(send);
        enum err rc = OK;

        if (batch->count > 0 && (strcmp(batch->table, table) != 0 || strcmp(batch->path, path) != 0))
                rc = send_batch(send, msg);
        if (rc != OK || gathering(send)->count > 0)
                return rc;
        rc = begin_batch(gathering(send), path, table);
        return rc == OK ? OK : err_set(msg, rc, "out of memory");
}

enum err import_send_row(
        struct import_send *send, const char *path, const struct import_item *item, struct err_msg *msg)
{
        enum err rc = batch_for(send, path, item->table, msg);
        struct batch *batch = gathering(send);

        if (rc != OK)
                return rc;
        rc = buf_append_slice(&batch->rows, item->row);
        if (rc != OK)
                return err_set(msg, rc, "out of memory");
        batch->lines[batch->count++] = item->line;
        if (batch->count < BATCH_ROWS && buf_len(&batch->rows) < BATCH_BYTES)
                return OK;
        return send_batch(send, msg);
}

enum err import_send_finish(struct import_send *send, struct err_msg *msg)
{
        enum err rc = gathering(send)->count > 0 ? send_batch(send, msg) : OK;

        return rc == OK ? drain(send, msg) : rc;
}

enum err import_send_begin(struct import_send *send, struct err_msg *msg)
{
        static const char *const words[] = {"CLIENT", "FORMAT", "msgpack"};
        struct conn_command command = {.count = 0};
        redisReply *reply;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < sizeof(words) / sizeof(words[0]); i++)
                rc = conn_add(&command, slice_str(words[i]));
        if (rc == OK)
                rc = conn_call(send->conn, &command, &reply, msg);
        if (rc != OK)
                return rc;
        if (reply->type == REDIS_REPLY_ERROR)
                rc = server_failed(reply, msg);
        freeReplyObject(reply);
        return rc;
}
