#include "cli/import_erase.h"

#include "base/mem.h"
#include "database/value.h"

enum { BATCH_BYTES = 256 << 10, ITEM_ROOM = 64 };

struct import_erase {
        struct conn *conn;
        struct import_report *report;
        struct import_limits limits;
        char table[64]; /* of the rows gathered */
        struct buf rows;
        uint32_t count;
        size_t mark;
};

enum err import_erase_create(
        struct import_erase **out, struct conn *conn, struct import_report *report, struct err_msg *msg)
{
        struct import_erase *erase = vc_calloc(1, sizeof(*erase));
        enum err rc;

        *out = NULL;
        if (erase == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        erase->conn = conn;
        erase->report = report;
        buf_init(&erase->rows, 0);
        rc = import_reply_limits(conn, &erase->limits, msg);
        if (rc == OK)
                *out = erase;
        else
                import_erase_destroy(&erase);
        return rc;
}

void import_erase_destroy(struct import_erase **erase)
{
        if (*erase == NULL)
                return;
        buf_deinit(&(*erase)->rows);
        vc_free(*erase);
        *erase = NULL;
}

static void count_erased(struct import_erase *erase, const char *table, uint64_t count, const char *token)
{
        import_report_counts(erase->report, table)->erased += count;
        (void)snprintf(erase->report->token, sizeof(erase->report->token), "%s", token);
}

static bool is_students(struct slice table)
{
        return slice_equal(table, slice_str("students"));
}

/* ---- students, one by one, all on their way together ---- */

static enum err send_student(struct import_erase *erase, struct slice row, struct err_msg *msg)
{
        struct conn_command command = {.count = 0};
        struct slice student;
        enum err rc;

        if (!value_member_text(row, "student", &student))
                return err_set(msg, ERR_INTERNAL, "a batch of rows is damaged");
        rc = conn_add(&command, slice_str("ERASE"));
        if (rc == OK)
                rc = conn_add(&command, slice_str("STUDENT"));
        if (rc == OK)
                rc = conn_add(&command, student);
        if (rc == OK)
                rc = conn_send(erase->conn, &command);
        return rc == OK ? OK : err_set(msg, rc, "out of memory");
}

static enum err receive_student(struct import_erase *erase, struct err_msg *msg)
{
        redisReply *reply;
        enum err rc = conn_receive(erase->conn, &reply, msg);

        if (rc != OK)
                return rc;
        if (reply->type == REDIS_REPLY_ERROR)
                rc = err_set(msg, ERR_INTERNAL, "%s", reply->str);
        else if (reply->type == REDIS_REPLY_STRING) /* nil: gone already */
                count_erased(erase, "students", 1, reply->str);
        freeReplyObject(reply);
        return rc;
}

static enum err send_students(struct import_erase *erase, struct err_msg *msg)
{
        struct value_iter rows;
        struct slice row;
        enum err rc = OK;

        if (!value_iter_init(&rows, buf_slice(&erase->rows), VALUE_LIST))
                return err_set(msg, ERR_INTERNAL, "a batch of rows is damaged");
        while (rc == OK && value_next(&rows, &row))
                rc = send_student(erase, row, msg);
        for (uint32_t i = 0; rc == OK && i < erase->count; i++)
                rc = receive_student(erase, msg);
        return rc;
}

/* ---- records ---- */

static enum err send_rows(struct import_erase *erase, struct err_msg *msg)
{
        const struct slice words[] = {
                slice_str("ERASE"), slice_str("ROWS"), slice_str(erase->table), buf_slice(&erase->rows)};
        struct conn_command command = {.count = 0};
        redisReply *reply = NULL;
        const char *token;
        uint64_t erased;
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < sizeof(words) / sizeof(words[0]); i++)
                rc = conn_add(&command, words[i]);
        if (rc == OK)
                rc = conn_call(erase->conn, &command, &reply, msg);
        if (rc != OK)
                return rc;
        if (reply->type == REDIS_REPLY_ERROR)
                rc = err_set(msg, ERR_INTERNAL, "%s", reply->str);
        else if (!import_reply_count(reply, "erased", &erased) || !import_reply_token(reply, &token))
                rc = import_reply_strange(msg);
        else
                count_erased(erase, erase->table, erased, token);
        freeReplyObject(reply);
        return rc;
}

static enum err flush_rows(struct import_erase *erase, struct err_msg *msg)
{
        enum err rc;

        if (erase->count == 0)
                return OK;
        value_close(&erase->rows, erase->mark, erase->count);
        rc = is_students(slice_str(erase->table)) ? send_students(erase, msg) : send_rows(erase, msg);
        erase->count = 0;
        return rc;
}

static enum err begin_rows(struct import_erase *erase, struct slice table)
{
        buf_truncate(&erase->rows, 0);
        (void)snprintf(erase->table, sizeof(erase->table), "%.*s", SLICE_ARG(table));
        return value_open_list(&erase->rows, &erase->mark);
}

static enum err put_row(struct import_erase *erase, const struct import_name *name)
{
        enum err rc = erase->count == 0 ? begin_rows(erase, name->table) : OK;

        if (rc == OK)
                rc = value_put_map(&erase->rows, 2);
        if (rc == OK)
                rc = value_put_member(&erase->rows, "student", name->student);
        if (rc == OK)
                rc = value_put_member(&erase->rows, "id", name->id);
        erase->count++;
        return rc;
}

static size_t batch_bytes_max(const struct import_erase *erase)
{
        size_t most = erase->limits.bytes < erase->limits.elements ? erase->limits.bytes : erase->limits.elements;

        return most < BATCH_BYTES ? most : BATCH_BYTES;
}

enum err import_erase_add(struct import_erase *erase, const struct import_name *name, struct err_msg *msg)
{
        size_t size = name->student.len + name->id.len + ITEM_ROOM;
        enum err rc = OK;

        if (erase->count > 0 && (!slice_equal(name->table, slice_str(erase->table)) ||
                                        buf_len(&erase->rows) + size > batch_bytes_max(erase)))
                rc = flush_rows(erase, msg);
        if (rc == OK && put_row(erase, name) != OK)
                rc = err_set(msg, ERR_NOMEM, "out of memory");
        return rc;
}

enum err import_erase_finish(struct import_erase *erase, struct err_msg *msg)
{
        return flush_rows(erase, msg);
}
