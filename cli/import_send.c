#include "cli/import_send.h"

#include "base/mem.h"
#include "base/priority.h"
#include "cli/import_reply.h"

#include <stdio.h>

/* A batch is a message of its own, and part of a commit. Fewer than some hundred rows would cost the server more than
 * the rows themselves. Many more would hold up others: reads wait while a worker of the server takes a message in (it
 * keeps a block for one of this size, net/lane.c), writes while one is put into the database. As every item of a value
 * takes a byte at least, a batch with no more bytes than a value may have items is within both limits. */
enum { BATCH_ROWS = 1000, BATCH_BYTES = 256 << 10, WINDOW = 32, SLOTS = 16, LIST_HEAD_SIZE = 5 };

/* Where a row of a batch comes from, and where in the batch it ends. */
struct row_place {
        struct import_place place;
        size_t end;
};

struct batch {
        struct batch *next; /* in `spare` or `refused` */
        const char *table;
        struct buf rows; /* one after the other, without the list's head */
        uint32_t count;
        struct row_place places[BATCH_ROWS];
};

struct import_send {
        struct import_send_config config;
        struct import_limits limits;
        struct batch *gathering[SLOTS]; /* one for each table; NULL: no table has needed it */
        struct batch *on_way[WINDOW];   /* a ring: sent and not acknowledged */
        unsigned oldest;
        unsigned on_way_count;
        struct batch *refused; /* as wholes; to be sent again in halves */
        struct batch *spare;
};

static enum err no_memory(struct err_msg *msg)
{
        return err_set(msg, ERR_NOMEM, "out of memory");
}

/* ---- life ---- */

enum err import_send_create(struct import_send **out, const struct import_send_config *config)
{
        struct import_send *send = vc_calloc(1, sizeof(*send));

        *out = send;
        if (send == NULL)
                return ERR_NOMEM;
        send->config = *config;
        return OK;
}

static void free_batch(struct batch *batch)
{
        if (batch == NULL)
                return;
        buf_deinit(&batch->rows);
        vc_free(batch);
}

static void free_list(struct batch *first)
{
        while (first != NULL) {
                struct batch *next = first->next;

                free_batch(first);
                first = next;
        }
}

void import_send_destroy(struct import_send **send)
{
        struct import_send *s = *send;

        if (s == NULL)
                return;
        for (unsigned i = 0; i < SLOTS; i++)
                free_batch(s->gathering[i]);
        for (unsigned i = 0; i < s->on_way_count; i++)
                free_batch(s->on_way[(s->oldest + i) % WINDOW]);
        free_list(s->refused);
        free_list(s->spare);
        vc_free(s);
        *send = NULL;
}

enum err import_send_begin(struct import_send *send, struct err_msg *msg)
{
        enum err rc = import_reply_use_msgpack(send->config.conn, msg);

        return rc == OK ? import_reply_limits(send->config.conn, &send->limits, msg) : rc;
}

static struct batch *take_spare(struct import_send *send, const char *table)
{
        struct batch *batch = send->spare;

        if (batch != NULL)
                send->spare = batch->next;
        else
                batch = vc_calloc(1, sizeof(*batch));
        if (batch == NULL)
                return NULL;
        batch->table = table;
        batch->count = 0;
        buf_truncate(&batch->rows, 0);
        return batch;
}

static void give_back(struct import_send *send, struct batch *batch)
{
        batch->next = send->spare;
        send->spare = batch;
}

/* ---- rows of a batch ---- */

static size_t row_begin(const struct batch *batch, uint32_t row)
{
        return row == 0 ? 0 : batch->places[row - 1].end;
}

/* Rows from..to-1 of a batch. */
struct range {
        const struct batch *batch;
        uint32_t from;
        uint32_t to;
};

static struct slice range_bytes(const struct range *range)
{
        size_t begin = row_begin(range->batch, range->from);

        return slice_of(buf_slice(&range->batch->rows).data + begin, row_begin(range->batch, range->to) - begin);
}

static struct import_line line_of(const struct batch *batch, uint32_t row)
{
        const struct range one = {.batch = batch, .from = row, .to = row + 1};

        return (struct import_line){.table = batch->table, .place = batch->places[row].place, .row = range_bytes(&one)};
}

static enum err leave_out(
        struct import_send *send, const struct import_line *line, const struct reject *reject, struct err_msg *msg)
{
        return send->config.hooks.left_out(send->config.hooks.context, line, reject, msg);
}

static enum err take(struct import_send *send, const struct import_line *line, struct err_msg *msg)
{
        return send->config.hooks.taken == NULL ? OK : send->config.hooks.taken(send->config.hooks.context, line, msg);
}

/* All rows of the range are left out for one reason. */
static enum err leave_out_all(
        struct import_send *send, const struct range *range, enum reject_reason reason, struct err_msg *msg)
{
        const struct reject reject = reject_of(reason, NULL);
        enum err rc = OK;

        for (uint32_t row = range->from; rc == OK && row < range->to; row++) {
                const struct import_line line = line_of(range->batch, row);

                rc = leave_out(send, &line, &reject, msg);
        }
        return rc;
}

/* ---- sending ---- */

/* IMPORT table rows [DRYRUN], written from where the rows lie. */
static enum err send_range(struct import_send *send, const struct range *range, struct err_msg *msg)
{
        const struct slice rows = range_bytes(range);
        const uint32_t count = range->to - range->from;
        const uint8_t list[LIST_HEAD_SIZE] = {
                0xdd, (uint8_t)(count >> 24), (uint8_t)(count >> 16), (uint8_t)(count >> 8), (uint8_t)count};
        const bool dry_run = send->config.dry_run;
        const char *table = range->batch->table;
        char head[256];
        int len = snprintf(head, sizeof(head), "*%d\r\n$6\r\nIMPORT\r\n$%zu\r\n%s\r\n$%zu\r\n", dry_run ? 4 : 3,
                strlen(table), table, sizeof(list) + rows.len);
        const struct slice pieces[] = {slice_of(head, (size_t)len), slice_of(list, sizeof(list)), rows,
                slice_str(dry_run ? "\r\n$6\r\nDRYRUN\r\n" : "\r\n")};

        VC_ASSERT(len > 0 && (size_t)len < sizeof(head));
        return conn_write(send->config.conn, pieces, sizeof(pieces) / sizeof(pieces[0]), msg);
}

/* ---- replies ---- */

static enum err take_outcome(
        struct import_send *send, const struct range *range, const redisReply *reply, struct err_msg *msg)
{
        struct import_counts *counts = import_report_counts(send->config.report, range->batch->table);
        struct import_outcome outcome;
        size_t next = 0; /* of those left out */
        enum err rc = import_reply_outcome(reply, &outcome, msg);

        if (rc != OK)
                return rc;
        counts->written += outcome.written;
        counts->unchanged += outcome.unchanged;
        (void)snprintf(send->config.report->token, sizeof(send->config.report->token), "%s", outcome.token);
        for (uint32_t row = range->from; rc == OK && row < range->to; row++) {
                const struct import_line line = line_of(range->batch, row);
                struct reject reject;

                if (import_reply_left_out(&outcome, next, row - range->from, &reject)) {
                        rc = leave_out(send, &line, &reject, msg);
                        next++;
                } else {
                        rc = take(send, &line, msg);
                }
        }
        return rc == OK && next < outcome.left_out ? import_reply_strange(msg) : rc;
}

/* The reply to a range. *again: the server cannot take it as a whole, its halves are to be tried. */
static enum err take_reply(
        struct import_send *send, const struct range *range, const redisReply *reply, bool *again, struct err_msg *msg)
{
        *again = false;
        switch (import_reply_kind(reply)) {
        case IMPORT_TAKEN: return take_outcome(send, range, reply, msg);
        case IMPORT_NO_TABLE: return leave_out_all(send, range, REJECT_TABLE, msg);
        case IMPORT_TOO_LARGE:
        case IMPORT_NOT_VALID:
                *again = range->to - range->from > 1;
                if (*again)
                        return OK;
                return leave_out_all(
                        send, range, import_reply_kind(reply) == IMPORT_TOO_LARGE ? REJECT_SIZE : REJECT_SERVER, msg);
        case IMPORT_FAILED: break;
        }
        return err_set(msg, ERR_INTERNAL, "%s", reply->str);
}

static enum err receive_range(struct import_send *send, const struct range *range, bool *again, struct err_msg *msg)
{
        redisReply *reply;
        enum err rc = conn_receive(send->config.conn, &reply, msg);

        if (rc != OK)
                return rc;
        rc = take_reply(send, range, reply, again, msg);
        freeReplyObject(reply);
        return rc;
}

static enum err receive_oldest(struct import_send *send, struct err_msg *msg)
{
        struct batch *batch = send->on_way[send->oldest];
        const struct range all = {.batch = batch, .from = 0, .to = batch->count};
        bool again = false;
        enum err rc = receive_range(send, &all, &again, msg);

        send->oldest = (send->oldest + 1) % WINDOW;
        send->on_way_count--;
        if (rc != OK || !again) {
                give_back(send, batch);
                return rc;
        }
        batch->next = send->refused;
        send->refused = batch;
        return OK;
}

static enum err send_halves(struct import_send *send, const struct range *range, struct err_msg *msg);

/* Sends a part of a batch that was refused, with nothing else on its way, and its halves when it is refused, too. */
static enum err send_part(struct import_send *send, const struct range *part, struct err_msg *msg)
{
        bool again = false;
        enum err rc = send_range(send, part, msg);

        if (rc == OK)
                rc = receive_range(send, part, &again, msg);
        return rc == OK && again ? send_halves(send, part, msg) : rc;
}

static enum err send_halves(struct import_send *send, const struct range *range, struct err_msg *msg)
{
        uint32_t middle = range->from + (range->to - range->from) / 2;
        const struct range left = {.batch = range->batch, .from = range->from, .to = middle};
        const struct range right = {.batch = range->batch, .from = middle, .to = range->to};
        enum err rc = send_part(send, &left, msg);

        return rc == OK ? send_part(send, &right, msg) : rc;
}

/* Waits for all that is on its way, then tries what was refused in halves. */
static enum err drain(struct import_send *send, struct err_msg *msg)
{
        enum err rc = OK;

        while (rc == OK && send->on_way_count > 0)
                rc = receive_oldest(send, msg);
        while (rc == OK && send->refused != NULL) {
                struct batch *batch = send->refused;
                const struct range all = {.batch = batch, .from = 0, .to = batch->count};

                send->refused = batch->next;
                rc = send_halves(send, &all, msg);
                give_back(send, batch);
        }
        return rc;
}

/* ---- batches ---- */

static int rank(const char *table)
{
        return strcmp(table, "students") == 0 ? 0 : strcmp(table, "merges") == 0 ? 1 : 2;
}

static enum err send_batch(struct import_send *send, unsigned slot, struct err_msg *msg)
{
        struct batch *batch = send->gathering[slot];
        const struct range all = {.batch = batch, .from = 0, .to = batch->count};
        enum err rc = send->on_way_count == WINDOW ? receive_oldest(send, msg) : OK;

        if (rc == OK && send->refused != NULL)
                rc = drain(send, msg);
        if (rc == OK)
                rc = send_range(send, &all, msg);
        if (rc != OK)
                return rc;
        send->on_way[(send->oldest + send->on_way_count) % WINDOW] = batch;
        send->on_way_count++;
        send->gathering[slot] = NULL;
        return OK;
}

/* Sends the batches of the tables that go before `below`. */
static enum err send_ranks(struct import_send *send, int below, struct err_msg *msg)
{
        enum err rc = OK;

        for (int first = 0; first < below; first++)
                for (unsigned slot = 0; rc == OK && slot < SLOTS; slot++)
                        if (send->gathering[slot] != NULL && rank(send->gathering[slot]->table) == first)
                                rc = send_batch(send, slot, msg);
        return rc;
}

static enum err send_slot(struct import_send *send, unsigned slot, struct err_msg *msg)
{
        enum err rc = send_ranks(send, rank(send->gathering[slot]->table), msg);

        return rc == OK ? send_batch(send, slot, msg) : rc;
}

/* The slot that gathers rows of the table, or a free one, or, when there is none, the last one. */
static unsigned find_slot(const struct import_send *send, const char *table)
{
        unsigned slot = SLOTS - 1;

        for (unsigned i = SLOTS; i-- > 0;) {
                const struct batch *batch = send->gathering[i];

                if (batch == NULL)
                        slot = i;
                else if (batch->table == table || strcmp(batch->table, table) == 0)
                        return i;
        }
        return slot;
}

static size_t batch_bytes_max(const struct import_send *send)
{
        size_t most = send->limits.bytes < send->limits.elements ? send->limits.bytes : send->limits.elements;

        return most < BATCH_BYTES ? most : BATCH_BYTES;
}

/* A batch with room for the line in *slot; what is in its way is sent. */
static enum err make_room(struct import_send *send, const struct import_line *line, unsigned *slot, struct err_msg *msg)
{
        const struct batch *batch;
        enum err rc = OK;

        *slot = find_slot(send, line->table);
        batch = send->gathering[*slot];
        if (batch != NULL && (strcmp(batch->table, line->table) != 0 || batch->count == BATCH_ROWS ||
                                     buf_len(&batch->rows) + LIST_HEAD_SIZE + line->row.len > batch_bytes_max(send)))
                rc = send_slot(send, *slot, msg);
        if (rc == OK && send->gathering[*slot] == NULL) {
                send->gathering[*slot] = take_spare(send, line->table);
                if (send->gathering[*slot] == NULL)
                        return no_memory(msg);
        }
        return rc;
}

enum err import_send_row(struct import_send *send, const struct import_line *line, struct err_msg *msg)
{
        const struct reject too_large = {.reason = REJECT_SIZE};
        struct batch *batch;
        unsigned slot;
        enum err rc;

        priority_pause();
        if (line->row.len + LIST_HEAD_SIZE > send->limits.bytes)
                return leave_out(send, line, &too_large, msg);
        rc = make_room(send, line, &slot, msg);
        if (rc != OK)
                return rc;
        batch = send->gathering[slot];
        if (buf_append_slice(&batch->rows, line->row) != OK)
                return no_memory(msg);
        batch->places[batch->count++] = (struct row_place){.place = line->place, .end = buf_len(&batch->rows)};
        return OK;
}

enum err import_send_finish(struct import_send *send, struct err_msg *msg)
{
        enum err rc = OK;

        for (unsigned slot = 0; rc == OK && slot < SLOTS; slot++)
                if (send->gathering[slot] != NULL)
                        rc = send_slot(send, slot, msg);
        return rc == OK ? drain(send, msg) : rc;
}
