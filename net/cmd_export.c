/* EXPORT: records as IMPORT takes them, some at a time. Unpacking and writing thousands of records takes a while, so it
 * is done aside (services->exports), and one at a time of each connection (call->hold): memory stays bounded. */
#include "base/cursor.h"
#include "base/mem.h"
#include "database/source.h"
#include "database/value.h"
#include "database/value_json.h"
#include "net/aside.h"
#include "net/command.h"
#include "net/handlers.h"
#include "net/lane.h"
#include "net/services.h"
#include "net/session.h"

enum {
        COUNT_PRESET = 1000,
        COUNT_MAX = 10000,
        BYTES_ENOUGH = 1 << 20, /* of msgpack: past it no further record is taken */
        CURSOR_MAX = 1024       /* bytes; longer ones are none of ours */
};

struct export
{
        struct aside_job job;
        struct lane_mail mail;
        struct lane *lane;
        struct deferred later;
        struct source_walk walk; /* borrows from the request, which is held, and from `after` */
        struct buf after;
        enum wire_format format;
        bool tells_tables; /* the records are of many tables: each says of which */
        uint32_t most;
        uint32_t count;
        bool more;         /* there are records behind the last one taken */
        struct buf cursor; /* of the last one taken */
        struct buf value;  /* the records, as msgpack */
        struct buf json;
        size_t mark;
        enum err status;
        struct err_msg message;
};

static void destroy(struct export **export)
{
        buf_deinit(&(*export)->after);
        buf_deinit(&(*export)->cursor);
        buf_deinit(&(*export)->value);
        buf_deinit(&(*export)->json);
        vc_free(*export);
        *export = NULL;
}

/* ---- cursors: opaque words; hexadecimal, as they pass through shells and text of clients ---- */

static enum err put_cursor(struct buf *out, struct slice bytes)
{
        static const char digits[] = "0123456789abcdef";
        enum err rc = OK;

        for (size_t i = 0; rc == OK && i < bytes.len; i++) {
                const char two[] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};

                rc = buf_append(out, two, sizeof(two));
        }
        return rc;
}

static bool take_digit(struct cursor *c, uint8_t *out)
{
        uint8_t byte;

        if (!cursor_u8(c, &byte))
                return false;
        *out = (uint8_t)(byte <= '9' ? byte - '0' : byte - 'a' + 10);
        return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

static enum err take_cursor(struct call *call, struct slice word, struct export *export)
{
        struct cursor c = cursor_of(word);
        enum err rc = OK;

        while (rc == OK && cursor_left(&c) > 0) {
                uint8_t high;
                uint8_t low;
                uint8_t byte;

                if (word.len > 2 * CURSOR_MAX || !take_digit(&c, &high) || !take_digit(&c, &low))
                        return err_set(&call->message, ERR_BADARG, "a cursor is what the EXPORT before this one gave");
                byte = (uint8_t)(high << 4 | low);
                rc = buf_append(&export->after, &byte, 1);
        }
        export->walk.after = buf_slice(&export->after);
        return rc;
}

/* ---- words ---- */

static enum err take_count(struct call *call, struct slice word, struct export *export)
{
        uint64_t count;

        if (!slice_to_u64(word, &count) || count == 0 || count > COUNT_MAX)
                return err_set(&call->message, ERR_BADARG, "COUNT is a number from 1 to %d", COUNT_MAX);
        export->most = (uint32_t)count;
        return OK;
}

/* [FROM cursor] [COUNT n], from word number `at` on. */
static enum err take_options(struct call *call, size_t at, struct export *export)
{
        enum err rc = OK;

        for (; rc == OK && at < call->argc; at += 2) {
                bool is_from = slice_is_word(call->argv[at], "FROM");

                if (at + 1 == call->argc || (!is_from && !slice_is_word(call->argv[at], "COUNT")))
                        return err_set(&call->message, ERR_SYNTAX, "word %zu does not fit: %s %s", at + 1,
                                call->row->name, call->row->arguments);
                rc = is_from ? take_cursor(call, call->argv[at + 1], export)
                             : take_count(call, call->argv[at + 1], export);
        }
        return rc;
}

/* ---- aside: the records ---- */

/* The record's members, between the student before them and the original behind. */
static enum err put_row(struct buf *out, const struct source_row *row, const struct record_table *table)
{
        const char *name = table == NULL || table->original_field == NULL ? "resource" : table->original_field;
        bool has_original = row->original.len > 0;
        struct cursor members = cursor_of(row->map);
        struct value map;
        enum err rc;

        if (!value_read(&members, &map) || map.kind != VALUE_MAP)
                return ERR_CORRUPT;
        rc = value_put_map(out, map.as.count + 1 + has_original);
        if (rc == OK)
                rc = value_put_member(out, "student", row->student);
        if (rc == OK)
                rc = buf_append(out, members.at, cursor_left(&members));
        return rc == OK && has_original ? value_put_member(out, name, row->original) : rc;
}

static enum err put_item(struct export *export, const struct source_row *row)
{
        const struct record_types *types = export->lane->services->types;
        enum err rc = OK;

        if (export->tells_tables) {
                rc = value_put_map(&export->value, 2);
                if (rc == OK)
                        rc = value_put_member(&export->value, "table", row->table);
                if (rc == OK)
                        rc = value_put_str(&export->value, "row");
        }
        return rc == OK ? put_row(&export->value, row, record_types_table(types, row->table)) : rc;
}

static enum err visit(void *context, const struct source_row *row)
{
        struct export *export = context;
        enum err rc;

        export->more = export->count == export->most || buf_len(&export->value) >= BYTES_ENOUGH;
        if (export->more)
                return ERR_LIMIT; /* that is enough: no failure (run) */
        rc = put_item(export, row);
        if (rc != OK)
                return rc;
        export->count++;
        buf_truncate(&export->cursor, 0);
        return put_cursor(&export->cursor, row->cursor);
}

static enum err gather(struct export *export)
{
        struct source *source = export->lane->services->source;
        enum err rc = value_open_list(&export->value, &export->mark);

        if (rc == OK)
                rc = source->ops->walk(source, &export->walk, &export->message);
        if (rc == ERR_LIMIT && export->more)
                rc = OK;
        if (rc != OK)
                return rc;
        value_close(&export->value, export->mark, export->count);
        return export->format == FORMAT_JSON ? value_to_json(buf_slice(&export->value), &export->json) : OK;
}

static void run(struct aside_job *job)
{
        struct export *export = LIST_ENTRY(job, struct export, job);

        export->status = gather(export);
        lane_post(export->lane, &export->mail);
}

/* ---- on the lane ---- */

static void finish(struct lane *lane, struct lane_mail *mail)
{
        struct export *export = LIST_ENTRY(mail, struct export, mail);
        struct resp_writer *out = &export->later.out;

        (void)lane;
        if (export->status == OK) {
                resp_array(out, 2);
                if (export->more)
                        resp_bulk(out, buf_slice(&export->cursor));
                else
                        resp_nil(out);
                resp_bulk(out, buf_slice(export->format == FORMAT_JSON ? &export->json : &export->value));
        }
        call_finish(&export->later, export->status, export->message.text);
        destroy(&export);
}

static struct export *create(const struct call *call)
{
        struct export *export = vc_calloc(1, sizeof(*export));

        if (export == NULL)
                return NULL;
        export->lane = call->lane;
        export->format = call->session->format;
        export->most = COUNT_PRESET;
        export->walk = (struct source_walk){.tenant = call->session->tenant, .visit = visit, .context = export};
        export->job.run = run;
        export->mail.handle = finish;
        return export;
}

static enum err start(struct call *call, struct export *export, enum err rc)
{
        if (rc == OK)
                rc = call_need_slot(call);
        if (rc != OK) {
                destroy(&export);
                return rc;
        }
        call->hold = true;
        call_defer(call, &export->later);
        aside_add(call->services->exports, &export->job);
        return OK;
}

enum err cmd_export(struct call *call)
{
        struct export *export = create(call);
        const struct record_table *table;
        enum err rc;

        if (export == NULL)
                return ERR_NOMEM;
        rc = record_table_named(call->services->types, call->argv[1], &table, &call->message);
        if (rc == OK) {
                export->walk.table = table->name;
                rc = take_options(call, 2, export);
        }
        return start(call, export, rc);
}

enum err cmd_export_student(struct call *call)
{
        struct export *export = create(call);
        enum err rc;

        if (export == NULL)
                return ERR_NOMEM;
        export->walk.student = call->argv[2];
        export->tells_tables = true;
        rc = record_id_check(record_types_id_kind(call->services->types), call->argv[2], &call->message);
        if (rc == OK)
                rc = take_options(call, 3, export);
        return start(call, export, rc);
}

/* ---- what there is to export ---- */

static bool is_unconfigured(void *context, struct slice table)
{
        const struct export *export = context;

        return record_types_table(export->lane->services->types, table) == NULL;
}

enum err cmd_export_unconfigured(struct call *call)
{
        struct export *export = create(call);

        if (export == NULL)
                return ERR_NOMEM;
        export->walk.wants = is_unconfigured;
        export->tells_tables = true;
        return start(call, export, take_options(call, 2, export));
}

enum err cmd_export_tables(struct call *call)
{
        const struct record_types *types = call->services->types;
        const struct record_table *const first[] = {record_types_students(types), record_types_merges(types)};

        resp_array(&call->out, record_types_table_count(types));
        for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
                if (first[i] != NULL)
                        resp_bulk(&call->out, slice_str(first[i]->name));
        for (uint32_t i = 0; i < record_types_table_count(types); i++) {
                const struct record_table *table = record_types_table_at(types, i);

                if (table != first[0] && table != first[1])
                        resp_bulk(&call->out, slice_str(table->name));
        }
        return OK;
}
