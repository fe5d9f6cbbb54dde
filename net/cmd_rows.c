/* IMPORT and ERASE ROWS: writes of many records at once. They own their values, so those of one connection overlap. */
#include "database/reject.h"
#include "net/command.h"
#include "net/handlers.h"
#include "net/services.h"
#include "net/write.h"

static void write_reject(struct resp_writer *out, const struct source_reject *left_out)
{
        resp_array(out, 3);
        resp_int(out, left_out->row);
        resp_bulk_str(out, left_out->reject.field);
        resp_bulk_str(out, reject_word(left_out->reject.reason));
}

static void reply_import(struct write *write)
{
        const struct source_reject *rejects =
                (const struct source_reject *)(const void *)buf_slice(&write->rejects).data;
        size_t count = buf_len(&write->rejects) / sizeof(*rejects);
        struct resp_writer *out = &write->later.out;

        resp_map(out, 4);
        resp_bulk_str(out, "token");
        write_token(write, write->source.position);
        resp_member_count(out, "written", write->source.written);
        resp_member_count(out, "unchanged", write->source.unchanged);
        resp_bulk_str(out, "rejected");
        resp_array(out, count);
        for (size_t i = 0; i < count; i++)
                write_reject(out, &rejects[i]);
}

static void reply_erase_rows(struct write *write)
{
        struct resp_writer *out = &write->later.out;

        resp_map(out, 3);
        resp_bulk_str(out, "token");
        write_token(write, write->source.position);
        resp_member_count(out, "erased", write->source.written);
        resp_member_count(out, "absent", write->source.unchanged);
}

/* The words from number `at` on: a table, its rows, and perhaps DRYRUN. */
static enum err start_rows(
        struct call *call, enum source_write_kind kind, size_t at, void (*reply)(struct write *write))
{
        bool dry_run = call->argc == at + 3 && slice_is_word(call->argv[at + 2], "DRYRUN");
        const struct record_table *table;
        struct write *write;
        enum err rc;

        if (call->argc != at + 2 && !dry_run)
                return err_set(&call->message, ERR_SYNTAX, "%s %s", call->row->name, call->row->arguments);
        rc = record_table_named(call->services->types, call->argv[at], &table, &call->message);
        if (rc != OK)
                return rc;
        write = write_create(call, kind);
        if (write == NULL)
                return ERR_NOMEM;
        write->source.table = table;
        write->source.dry_run = dry_run;
        write->source.rejects = &write->rejects;
        write->reply = reply;
        return write_start_aside(write, call, call->argv[at + 1]);
}

enum err cmd_import(struct call *call)
{
        return start_rows(call, WRITE_IMPORT, 1, reply_import);
}

enum err cmd_erase_rows(struct call *call)
{
        return start_rows(call, WRITE_ERASE_ROWS, 2, reply_erase_rows);
}
