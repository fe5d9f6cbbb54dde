/* PUT, ERASE, INVALIDATE, PUBLISH: unpack the words into one write, hand it to the source. */
#include "base/hash.h"
#include "database/record.h"
#include "database/value_json.h"
#include "invalidation/freshness.h"
#include "invalidation/token.h"
#include "net/command.h"
#include "net/handlers.h"
#include "net/pubsub.h"
#include "net/services.h"
#include "net/session.h"
#include "net/write.h"

#include <inttypes.h>

/* Ends a handler that has made a write: starts it, or destroys it and returns the error. */
static enum err start_or_drop(struct write *write, struct call *call, enum err rc)
{
        if (rc == OK)
                return write_start(write, call);
        write_destroy(&write);
        return rc;
}

/* ---- what the words say ---- */

/* An IF's stamp of another history cannot be compared, so the write is refused as a conflict: to read again is safe. */
static enum err parse_stamp(struct call *call, struct slice word, struct write *write)
{
        const struct freshness *f = call->services->freshness;
        struct token known = {.epoch = freshness_epoch(f), .n = freshness_position(f).n};
        struct token stamp;
        char text[TOKEN_TEXT_SIZE];
        enum err rc = token_parse(word, &stamp, &call->message);

        if (rc != OK)
                return rc;
        if (stamp.epoch != known.epoch) {
                (void)token_format(&known, text);
                return err_set(&call->message, ERR_CONFLICT,
                        "%s that stamp is of another history of the database; read it again", text);
        }
        if (!freshness_reached(f, stamp.epoch, stamp.n))
                return err_set(&call->message, ERR_UNAVAILABLE, "this node has not reached that stamp's position");
        write->source.condition = IF_UNCHANGED;
        write->source.unchanged_since = (struct position){stamp.n};
        return OK;
}

/* argv[at] is IF, the condition follows. */
static enum err parse_condition(struct call *call, size_t at, bool may_be_new, struct write *write)
{
        struct slice word;

        if (at + 2 != call->argc || !slice_is_word(call->argv[at], "IF"))
                return err_set(&call->message, ERR_SYNTAX, "a write says what it builds on: %s %s", call->row->name,
                        call->row->arguments);
        word = call->argv[at + 1];
        write->source.condition = IF_FORCE;
        if (slice_is_word(word, "FORCE"))
                return OK;
        if (may_be_new && slice_is_word(word, "NEW")) {
                write->source.condition = IF_NEW;
                return OK;
        }
        return parse_stamp(call, word, write);
}

/* The key's type and id into the write. */
static enum err parse_key(struct call *call, struct slice key, struct write *write)
{
        struct source_write *w = &write->source;
        enum err rc = record_key_parse(call->services->types, key, &w->type, &w->id, &call->message);

        write->key = key;
        return rc == OK ? record_check_writable(w->type, &call->message) : rc;
}

static enum err add_student_tag(struct write *write, struct call *call, struct slice id)
{
        const struct tag tag = {.kind = TAG_STUDENT, .tenant = call->session->tenant, .id = id};
        enum err rc = record_id_check(record_types_id_kind(call->services->types), id, &call->message);

        return rc != OK ? rc : write_add_tag(write, &tag);
}

/* ---- PUT ---- */

static enum err normalise(struct call *call, struct slice value, struct write *write)
{
        struct record_put put = {.type = write->source.type, .id = write->source.id, .random = random_bytes};
        const struct value_form form = write_form_of(call);
        struct buf foreign;
        enum err rc;

        buf_init(&foreign, 0);
        rc = write_take_value(&form, value, &foreign, &call->message);
        put.value = buf_slice(&foreign);
        if (rc == OK)
                rc = record_normalise(&put, &write->value, &call->message);
        buf_deinit(&foreign);
        write->source.value = buf_slice(&write->value);
        return rc;
}

enum err cmd_put(struct call *call)
{
        struct write *write = write_create(call, WRITE_PUT);
        enum err rc;

        if (write == NULL)
                return ERR_NOMEM;
        rc = parse_key(call, call->argv[1], write);
        if (rc == OK)
                rc = parse_condition(call, 3, true, write);
        if (rc == OK)
                rc = normalise(call, call->argv[2], write);
        return start_or_drop(write, call, rc);
}

/* ---- ERASE ---- */

static enum err erase_key(struct call *call, struct write *write)
{
        enum err rc = parse_key(call, call->argv[1], write);

        if (rc == OK && write->source.type->table == record_types_students(call->services->types))
                return err_set(&call->message, ERR_USE, "ERASE STUDENT %.*s: a student is more than one record",
                        SLICE_ARG(write->source.id));
        return rc != OK ? rc : parse_condition(call, 2, false, write);
}

static enum err erase_student(struct call *call, struct write *write)
{
        if (call->argc != 3)
                return err_set(&call->message, ERR_SYNTAX, "ERASE STUDENT id");
        write->source.id = call->argv[2];
        return add_student_tag(write, call, call->argv[2]);
}

enum err cmd_erase(struct call *call)
{
        bool student = slice_is_word(call->argv[1], "STUDENT");
        struct write *write = write_create(call, student ? WRITE_ERASE_STUDENT : WRITE_ERASE);

        if (write == NULL)
                return ERR_NOMEM;
        return start_or_drop(write, call, student ? erase_student(call, write) : erase_key(call, write));
}

/* ---- INVALIDATE ---- */

/* A tag of an unknown table, or of an id that no key can have, would touch nothing and look as if it had. */
static enum err invalidate_tag(struct call *call, struct slice word, struct write *write)
{
        const struct record_table *table;
        struct tag tag;
        enum err rc = tag_parse(word, call->session->tenant, &tag, &call->message);

        if (rc == OK && tag.id.len > 0)
                rc = record_subject_check(call->services->types, tag.subject, tag.id, &call->message);
        if (rc == OK && tag.table.len > 0)
                rc = record_table_named(call->services->types, tag.table, &table, &call->message);
        return rc != OK ? rc : write_add_tag(write, &tag);
}

static enum err invalidate_student(struct call *call, struct slice word, struct write *write)
{
        return add_student_tag(write, call, word);
}

/* Touches what the type reads: its table, or its parts' tables. `id` empty: for every student. */
static enum err add_type_tags(struct call *call, const struct record_type *type, struct slice id, struct write *write)
{
        uint32_t count = type->table != NULL ? 1 : type->part_count;
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < count; i++) {
                const struct record_table *table = type->table != NULL ? type->table : type->parts[i].type->table;
                const struct tag tag = {.kind = id.len == 0 ? TAG_TABLE : record_subject_tag(type->subject),
                        .tenant = call->session->tenant,
                        .id = id,
                        .table = slice_str(table->name),
                        .subject = record_subject_name(type->subject)};

                rc = write_add_tag(write, &tag);
        }
        return rc;
}

static enum err invalidate_key(struct call *call, struct slice word, struct write *write)
{
        const struct record_type *type;
        struct slice id;
        enum err rc = record_key_parse(call->services->types, word, &type, &id, &call->message);

        return rc != OK ? rc : add_type_tags(call, type, id, write);
}

static enum err invalidate_type(struct call *call, struct slice word, struct write *write)
{
        const struct record_type *type;
        enum err rc = record_type_named(call->services->types, word, &type, &call->message);

        return rc != OK ? rc : add_type_tags(call, type, SLICE_EMPTY, write);
}

static enum err invalidate_all(struct call *call, struct write *write)
{
        const struct tag tag = {.kind = TAG_ALL, .tenant = call->session->tenant};

        return write_add_tag(write, &tag);
}

static const struct {
        const char *word;
        enum err (*add)(struct call *call, struct slice word, struct write *write);
} invalidate_words[] = {
        {"TAG", invalidate_tag},
        {"STUDENT", invalidate_student},
        {"KEY", invalidate_key},
        {"TYPE", invalidate_type},
};

static enum err parse_invalidate(struct call *call, struct write *write)
{
        enum err rc = OK;

        if (slice_is_word(call->argv[1], "ALL") && call->argc == 2)
                return invalidate_all(call, write);
        for (size_t i = 0; i < sizeof(invalidate_words) / sizeof(invalidate_words[0]); i++) {
                if (!slice_is_word(call->argv[1], invalidate_words[i].word) || call->argc < 3)
                        continue;
                for (size_t w = 2; rc == OK && w < call->argc; w++)
                        rc = invalidate_words[i].add(call, call->argv[w], write);
                return rc;
        }
        return err_set(&call->message, ERR_SYNTAX, "INVALIDATE %s", call->row->arguments);
}

enum err cmd_invalidate(struct call *call)
{
        struct write *write = write_create(call, WRITE_TOUCH);

        if (write == NULL)
                return ERR_NOMEM;
        return start_or_drop(write, call, parse_invalidate(call, write));
}

/* ---- PUBLISH ---- */

static void reply_receivers(struct write *write)
{
        resp_int(&write->later.out, write->receivers);
}

static enum err bad_message(struct call *call)
{
        return err_set(&call->message, ERR_BADARG, "a message is {\"tags\":[\"student:42/allergies\"]}");
}

static enum err parse_message(struct call *call, struct write *write)
{
        const struct value_limits limits = VALUE_LIMITS_DEFAULT;
        struct value_iter tags;
        struct slice list;
        struct slice item;
        struct slice text;
        enum err rc = value_from_json(call->argv[2], &limits, &write->value, &call->message);

        if (rc != OK)
                return rc;
        if (!value_member(buf_slice(&write->value), "tags", &list) || !value_iter_init(&tags, list, VALUE_LIST))
                return bad_message(call);
        while (rc == OK && value_next(&tags, &item))
                rc = value_text(item, &text) ? invalidate_tag(call, text, write) : bad_message(call);
        if (rc == OK && buf_len(&write->tags) == 0)
                return bad_message(call);
        return rc;
}

enum err cmd_publish(struct call *call)
{
        struct write *write;

        if (!slice_equal(call->argv[1], slice_str(PUBSUB_CHANNEL)))
                return err_set(&call->message, ERR_BADARG, "the one channel there is: %s", PUBSUB_CHANNEL);
        write = write_create(call, WRITE_TOUCH);
        if (write == NULL)
                return ERR_NOMEM;
        write->reply = reply_receivers;
        return start_or_drop(write, call, parse_message(call, write));
}
