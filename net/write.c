#include "net/write.h"

#include "base/mem.h"
#include "cache/forget.h"
#include "database/value_json.h"
#include "invalidation/freshness.h"
#include "invalidation/token.h"
#include "monitoring/counters.h"
#include "net/pubsub.h"
#include "net/services.h"
#include "net/session.h"

struct write *write_create(struct call *call, enum source_write_kind kind)
{
        struct write *write = vc_calloc(1, sizeof(*write));

        if (write == NULL)
                return NULL;
        write->lane = call->lane;
        write->source.kind = kind;
        write->source.tenant = call->session->tenant;
        buf_init(&write->value, 0);
        buf_init(&write->raw, 0);
        buf_init(&write->rejects, 0);
        buf_init(&write->touched, 0);
        write->source.touched = &write->touched;
        buf_init(&write->tags, 0);
        return write;
}

void write_destroy(struct write **write)
{
        if (*write == NULL)
                return;
        buf_deinit(&(*write)->value);
        buf_deinit(&(*write)->raw);
        buf_deinit(&(*write)->rejects);
        buf_deinit(&(*write)->touched);
        buf_deinit(&(*write)->tags);
        vc_free(*write);
        *write = NULL;
}

enum err write_add_tag(struct write *write, const struct tag *tag)
{
        return buf_append(&write->tags, tag, sizeof(*tag));
}

struct value_form write_form_of(const struct call *call)
{
        const struct client_limits *own = &call->services->limits;

        return (struct value_form){.format = call->session->format,
                .limits = {.bytes = own->bulk,
                        .depth = (uint32_t)own->depth,
                        .elements = own->elements > UINT32_MAX ? UINT32_MAX : (uint32_t)own->elements}};
}

enum err write_take_value(const struct value_form *form, struct slice value, struct buf *out, struct err_msg *msg)
{
        enum err rc;

        if (form->format == FORMAT_JSON)
                return value_from_json(value, &form->limits, out, msg);
        rc = value_check(value, &form->limits, msg);
        return rc != OK ? rc : buf_append_slice(out, value);
}

static void format_token(struct write *write, struct position position, char *text)
{
        struct token token = {.epoch = write->source.epoch, .n = position.n};

        (void)token_format(&token, text);
}

void write_token(struct write *write, struct position position)
{
        char text[TOKEN_TEXT_SIZE];

        format_token(write, position, text);
        resp_bulk_str(&write->later.out, text);
}

/* {"token":"v1-…","tags":["student:42/allergies",…]}: built as a value, so that ids with quotes are escaped. */
static enum err build_message(struct write *write, struct buf *scratch, struct buf *json)
{
        const struct tag *tags = (const struct tag *)(const void *)buf_slice(&write->tags).data;
        size_t count = buf_len(&write->tags) / sizeof(struct tag);
        char token[TOKEN_TEXT_SIZE];
        struct buf text;
        enum err rc = OK;

        format_token(write, write->source.position, token);
        buf_init(&text, 0);
        if (value_put_map(scratch, 2) != OK || value_put_member(scratch, "token", slice_str(token)) != OK ||
                value_put_str(scratch, "tags") != OK || value_put_list(scratch, (uint32_t)count) != OK)
                rc = ERR_NOMEM;
        for (size_t i = 0; rc == OK && i < count; i++) {
                buf_truncate(&text, 0);
                rc = tag_format(&tags[i], &text);
                if (rc == OK)
                        rc = value_put_text(scratch, buf_slice(&text));
        }
        buf_deinit(&text);
        return rc != OK ? rc : value_to_json(buf_slice(scratch), json);
}

/* What the commit touched for a PUT, ERASE or IMPORT: nothing, where it changed nothing. For the erasure of a student:
 * the other ids that were merged into this one. A merge touches whatever there is about its students. */
static enum err add_touched(struct write *write)
{
        const struct source_write *source = &write->source;
        const struct record_table *table = source->type != NULL ? source->type->table : source->table;
        bool whole = source->kind == WRITE_ERASE_STUDENT ||
                     (table != NULL && table == record_types_merges(write->lane->services->types));
        struct slice students = buf_slice(&write->touched);
        struct slice student;
        enum err rc = OK;

        while (rc == OK && source_touched_next(&students, &student)) {
                const struct tag tag = {.kind = whole ? TAG_STUDENT : TAG_STUDENT_TABLE,
                        .tenant = source->tenant,
                        .id = student,
                        .table = whole ? SLICE_EMPTY : slice_str(table->name)};

                rc = write_add_tag(write, &tag);
        }
        return rc;
}

/* A hint that cannot be built for want of memory is a hint lost. */
static void tell_subscribers(struct write *write)
{
        struct pubsub *pubsub = write->lane->services->pubsub;
        struct buf scratch;
        struct buf json;

        if (pubsub_subscribers(pubsub) == 0 || add_touched(write) != OK || buf_len(&write->tags) == 0)
                return;
        buf_init(&scratch, 0);
        buf_init(&json, 0);
        if (build_message(write, &scratch, &json) == OK)
                write->receivers = pubsub_publish(pubsub, buf_slice(&json));
        buf_deinit(&scratch);
        buf_deinit(&json);
}

static void explain_conflict(struct write *write)
{
        const char *why = write->source.condition == IF_NEW ? "is recorded already; read it"
                                                            : "has changed since that stamp; read it again";
        char stamp[TOKEN_TEXT_SIZE];

        format_token(write, freshness_position(write->lane->services->freshness), stamp);
        counter_add(COUNTER_database_conflicts, 1);
        (void)err_set(&write->source.message, ERR_CONFLICT, "%s %.*s %s", stamp, SLICE_ARG(write->key), why);
}

static void count_success(const struct write *write)
{
        const struct source_write *source = &write->source;

        if (source->dry_run)
                return;
        counter_add(COUNTER_database_writes, 1);
        if (source->kind == WRITE_IMPORT)
                counter_add(COUNTER_database_imported, source->written);
        if (source->type != NULL)
                type_counter_add(source->type->index, TYPE_COUNTER_writes, 1);
}

/* Erasing a student that is not recorded is no fault: there was none, says nil. */
static bool erased_nobody(const struct write *write)
{
        return write->source.kind == WRITE_ERASE_STUDENT && write->source.status == ERR_NOSTUDENT;
}

/* Not a copy stays in memory, void ones included. */
static void forget(const struct write *write)
{
        const struct services *services = write->lane->services;
        struct slice merged = buf_slice(&write->touched);
        struct slice id = write->source.id;

        do {
                forget_student(services->l1, services->types, write->source.tenant, id);
        } while (source_touched_next(&merged, &id));
}

/* On the lane again. */
static void finish(struct lane *lane, struct lane_mail *mail)
{
        struct write *write = LIST_ENTRY(mail, struct write, mail);
        enum err rc = write->source.status;

        (void)lane;
        if (rc == OK) {
                if (write->source.kind == WRITE_ERASE_STUDENT)
                        forget(write);
                count_success(write);
                tell_subscribers(write);
                if (write->reply != NULL)
                        write->reply(write);
                else
                        write_token(write, write->source.position);
        }
        if (rc == ERR_CONFLICT)
                explain_conflict(write);
        if (erased_nobody(write)) {
                resp_nil(&write->later.out);
                rc = OK;
        }
        call_finish(&write->later, rc, write->source.message.text);
        write_destroy(&write);
}

/* On the source's writer thread. */
static void mail_back(struct source_write *source)
{
        struct write *write = source->context;

        if (write->intake.run != NULL) { /* freed here: to overwrite and unmap an import's rows takes a lane too long */
                buf_deinit(&write->value);
                source->value = SLICE_EMPTY;
        }
        lane_post(write->lane, &write->mail);
}

/* The reply will come by mail. */
static enum err defer(struct write *write, struct call *call)
{
        enum err rc = call_need_slot(call);

        if (rc != OK) {
                write_destroy(&write);
                return rc;
        }
        write->mail.handle = finish;
        write->source.done = mail_back;
        write->source.context = write;
        call_defer(call, &write->later);
        return OK;
}

enum err write_start(struct write *write, struct call *call)
{
        enum err rc = defer(write, call);

        if (rc != OK)
                return rc;
        VC_ASSERT(call->hold);
        if (write->source.kind == WRITE_TOUCH) {
                write->source.tags = (const struct tag *)(const void *)buf_slice(&write->tags).data;
                write->source.tag_count = buf_len(&write->tags) / sizeof(struct tag);
        }
        source_apply(call->services->source, &write->source);
        return OK;
}

/* On the intake's thread: one after another, so that the source gets a connection's writes in their order. */
static void take_in(struct aside_job *job)
{
        struct write *write = LIST_ENTRY(job, struct write, intake);
        struct source_write *source = &write->source;

        source->message.text[0] = '\0';
        source->status = write_take_value(&write->form, buf_slice(&write->raw), &write->value, &source->message);
        buf_deinit(&write->raw);
        source->value = buf_slice(&write->value);
        if (source->status == OK)
                source_apply(write->lane->services->source, source);
        else
                mail_back(source);
}

enum err write_start_aside(struct write *write, struct call *call, struct slice value)
{
        enum err rc = buf_append_slice(&write->raw, value);

        if (rc != OK) {
                write_destroy(&write);
                return rc;
        }
        write->form = write_form_of(call);
        write->intake.run = take_in;
        rc = defer(write, call);
        if (rc == OK)
                aside_add(call->services->intake, &write->intake);
        return rc;
}
