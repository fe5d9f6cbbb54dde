/* Writes of tags (INVALIDATE), and hints. A write is a transaction of its own, which inserts the tags as an
 * application's triggers do; so every node learns of it by its polls, whatever happens to the messages. */
#include "invalidation/truth_postgres_parts.h"

#include "base/cursor.h"
#include "base/mem.h"
#include "database/tag.h"
#include "invalidation/pg_hint.h"
#include "monitoring/counters.h"

#include <string.h>

enum { STEP_BEGIN, STEP_INVALIDATE, STEP_COMMIT, STEPS };

struct touch {
        struct list link;
        struct truth_postgres *truth;
        struct source_write *write;
        struct pg_exchange exchange;
        struct pg_step steps[STEPS];
        struct buf array; /* the tags as the text of a bytea[], terminated */
        const char *values[1];
        struct buf encoded; /* the tags' binary forms, one after another */
        struct slice *tags;
        struct tag_hashes hashes;
        uint64_t epoch;
        uint64_t xid;
        bool committed;
        bool warned; /* by a WARNING: no synchronous replica has it */
};

/* A hint on its way to the other nodes. */
struct note {
        struct pg_exchange exchange;
        struct pg_step step;
        struct buf text;
        const char *values[1];
};

void truth_touch_init(struct truth_postgres *t)
{
        pg_statement_init(&t->begin, "BEGIN", "invalidate begin");
        pg_statement_init(
                &t->invalidate, "SELECT * FROM vitalcache.vc_invalidate($1::pg_catalog.bytea[])", "invalidate");
        pg_statement_init(&t->commit, "COMMIT", "invalidate commit");
        pg_statement_init(&t->notify, "SELECT pg_catalog.pg_notify('" TRUTH_CHANNEL "', $1)", "hint");
        t->begin.once = t->commit.once = true;
        list_init(&t->doubts);
}

static void free_doubt(struct truth_doubt *doubt)
{
        list_remove(&doubt->link);
        tag_hashes_deinit(&doubt->tags);
        vc_free(doubt);
}

void truth_touch_deinit(struct truth_postgres *t)
{
        while (!list_empty(&t->doubts))
                free_doubt(LIST_ENTRY(t->doubts.next, struct truth_doubt, link));
}

/* ---- hints ---- */

static void on_note_done(struct pg_exchange *exchange)
{
        struct note *note = exchange->context;

        counter_add(COUNTER_hints_sent, exchange->status == OK && exchange->sqlstate[0] == '\0');
        buf_deinit(&note->text);
        vc_free(note);
}

/* One NOTIFY for the first tags; how many those are, 0 when there is no memory for it. */
static size_t send_note(struct truth_postgres *t, const struct slice *tags, size_t count)
{
        struct note *note = vc_calloc(1, sizeof(*note));
        size_t taken;

        if (note == NULL)
                return 0;
        if (pg_hint_write(t->sender, tags, count, &note->text, &taken) != OK) {
                vc_free(note);
                return 0;
        }
        note->values[0] = (const char *)buf_slice(&note->text).data;
        note->step = (struct pg_step){.statement = &t->notify, .value_count = 1, .values = note->values};
        note->exchange = (struct pg_exchange){
                .steps = &note->step,
                .step_count = 1,
                .deadline = nanos_add(t->config.now(), t->config.write_timeout),
                .done = on_note_done,
                .context = note,
        };
        pg_pool_run(t->writes, &note->exchange);
        return taken;
}

/* Tells the other nodes. What cannot be told they learn by their next polls. */
static void send_hints(struct truth_postgres *t, const struct touch *touch)
{
        const struct tag all = {.kind = TAG_ALL};
        uint8_t bytes[TAG_BINARY_MAX];
        const struct slice everything = slice_of(bytes, tag_encode(&all, bytes));
        const struct slice *tags = touch->tags;
        size_t left = touch->write->tag_count;

        if (left > PG_HINT_TAGS_MAX) {
                tags = &everything;
                left = 1;
        }
        for (size_t taken = 1; left > 0 && taken > 0; left -= taken, tags += taken)
                taken = send_note(t, tags, left);
}

void truth_touch_heard(struct truth_postgres *t, const char *payload)
{
        struct tag_hashes tags = {0};
        uint64_t sender = 0;
        enum err rc = pg_hint_read(payload, t->tag_seed, &sender, &tags);

        if (rc == ERR_PROTOCOL)
                counter_add(COUNTER_hints_refused, 1);
        if (rc == OK && sender != t->sender) {
                counter_add(COUNTER_hints_received, 1);
                freshness_hint(t->config.freshness, tags.hashes, tags.count);
        }
        tag_hashes_deinit(&tags);
}

/* ---- outcomes that are not known ---- */

/* The transaction may have committed, and its touches are seen by a poll some day. Till it is known to have ended,
 * whoever wrote may take it for done: so nothing that was read before answers. */
static void keep_doubt(struct truth_postgres *t, struct touch *touch)
{
        struct truth_doubt *doubt = vc_calloc(1, sizeof(*doubt));

        freshness_hint(t->config.freshness, touch->hashes.hashes, touch->hashes.count);
        if (doubt == NULL)
                return;
        doubt->tags = touch->hashes;
        touch->hashes = (struct tag_hashes){0};
        doubt->xid = touch->xid;
        doubt->after = t->number.n;
        list_push_back(&t->doubts, &doubt->link);
}

static bool is_settled(const struct truth_postgres *t, const struct truth_doubt *d, const struct pg_poll_reply *reply)
{
        if (reply->epoch != freshness_epoch(t->config.freshness))
                return true;
        return d->xid != 0 ? snapshot_has(&reply->snapshot, d->xid) : t->number.n > d->after;
}

enum err truth_touch_withhold(struct truth_postgres *t, const struct pg_poll_reply *reply, struct tag_hashes *out)
{
        enum err rc = OK;

        for (struct list *it = t->doubts.next, *next = it->next; rc == OK && it != &t->doubts;
                it = next, next = it->next) {
                struct truth_doubt *doubt = LIST_ENTRY(it, struct truth_doubt, link);

                if (is_settled(t, doubt, reply))
                        free_doubt(doubt);
                else
                        rc = tag_hashes_add_all(out, &doubt->tags);
        }
        return rc;
}

/* ---- one write ---- */

static void free_touch(struct touch *touch)
{
        buf_deinit(&touch->array);
        buf_deinit(&touch->encoded);
        tag_hashes_deinit(&touch->hashes);
        vc_free(touch->tags);
        vc_free(touch);
}

static void on_result(struct pg_exchange *exchange, uint32_t step, const PGresult *result)
{
        struct touch *touch = exchange->context;
        int64_t epoch;
        int64_t xid;

        if (step == STEP_COMMIT)
                touch->committed = strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0;
        if (step != STEP_INVALIDATE || PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
                return;
        if (slice_to_i64(slice_str(PQgetvalue(result, 0, PQfnumber(result, "epoch"))), &epoch) &&
                slice_to_i64(slice_str(PQgetvalue(result, 0, PQfnumber(result, "xid"))), &xid)) {
                touch->epoch = (uint64_t)epoch;
                touch->xid = (uint64_t)xid;
        }
}

static void on_notice(struct pg_exchange *exchange, const PGresult *notice)
{
        struct touch *touch = exchange->context;
        const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

        if (severity == NULL || strcmp(severity, "WARNING") == 0)
                touch->warned = true;
}

static enum err say_why(const struct touch *touch, struct err_msg *msg)
{
        const struct pg_exchange *exchange = &touch->exchange;

        if (exchange->outcome_unknown || touch->warned)
                return err_set(
                        msg, ERR_UNAVAILABLE, "the outcome is not known: the database may have done it; do it again");
        if (strcmp(exchange->sqlstate, "VC001") == 0)
                return err_set(msg, ERR_UNAVAILABLE, "not done: the database has just been restarted; do it again");
        if (exchange->status != OK)
                return err_set(msg, ERR_UNAVAILABLE, "not done: %s", pg_failure_text(exchange->failure));
        return err_set(msg, ERR_UNAVAILABLE, "not done: PostgreSQL refused it (SQLSTATE %s)", exchange->sqlstate);
}

static void on_done(struct pg_exchange *exchange)
{
        struct touch *touch = exchange->context;
        struct truth_postgres *t = touch->truth;
        struct source_write *write = touch->write;

        if (exchange->status == OK && touch->committed && touch->xid != 0 && !touch->warned) {
                freshness_hint(t->config.freshness, touch->hashes.hashes, touch->hashes.count);
                send_hints(t, touch);
                write->epoch = touch->epoch;
                write->position.n = touch->xid;
                write->status = OK;
        } else {
                write->status = say_why(touch, &write->message);
                if (exchange->outcome_unknown || touch->warned)
                        keep_doubt(t, touch);
        }
        free_touch(touch);
        write->done(write);
}

/* {"\\x01…","\\x02…"} */
static enum err put_element(struct buf *array, struct slice tag, bool first)
{
        enum err rc = buf_append_str(array, first ? "{\"\\\\x" : ",\"\\\\x");

        if (rc == OK)
                rc = pg_hex_put(array, tag);
        return rc == OK ? buf_append_str(array, "\"") : rc;
}

static enum err put_tag(struct touch *touch, const struct tag *tag)
{
        uint8_t bytes[TAG_BINARY_MAX];
        const struct slice encoded = slice_of(bytes, tag_encode(tag, bytes));
        enum err rc = tag_hashes_add(&touch->hashes, tag_hash(tag, touch->truth->tag_seed));

        if (rc == OK)
                rc = put_element(&touch->array, encoded, touch->hashes.count == 1);
        return rc == OK ? buf_append_slice(&touch->encoded, encoded) : rc;
}

/* The slices are made last, when the buffer that they point into moves no more. */
static enum err put_tags(struct touch *touch)
{
        const struct source_write *write = touch->write;
        enum err rc = OK;
        size_t at = 0;

        for (size_t i = 0; rc == OK && i < write->tag_count; i++)
                rc = put_tag(touch, &write->tags[i]);
        if (rc == OK)
                rc = buf_append(&touch->array, "}", 2);
        touch->tags = vc_calloc(write->tag_count, sizeof(touch->tags[0]));
        if (rc != OK || touch->tags == NULL)
                return ERR_NOMEM;
        for (size_t i = 0; i < write->tag_count; i++) {
                uint8_t bytes[TAG_BINARY_MAX];

                touch->tags[i] = slice_of(buf_slice(&touch->encoded).data + at, tag_encode(&write->tags[i], bytes));
                at += touch->tags[i].len;
        }
        return OK;
}

static void send(struct truth_postgres *t, struct touch *touch)
{
        touch->values[0] = (const char *)buf_slice(&touch->array).data;
        touch->steps[STEP_BEGIN] = (struct pg_step){.statement = &t->begin};
        touch->steps[STEP_INVALIDATE] =
                (struct pg_step){.statement = &t->invalidate, .value_count = 1, .values = touch->values};
        touch->steps[STEP_COMMIT] = (struct pg_step){.statement = &t->commit};
        touch->exchange = (struct pg_exchange){
                .steps = touch->steps,
                .step_count = STEPS,
                .deadline = nanos_add(t->config.now(), t->config.write_timeout),
                .result = on_result,
                .notice = on_notice,
                .done = on_done,
                .context = touch,
        };
        pg_pool_run(t->writes, &touch->exchange);
}

void truth_touch_run(struct truth_postgres *t, struct source_write *write)
{
        struct touch *touch = vc_calloc(1, sizeof(*touch));
        enum err rc = ERR_NOMEM;

        if (touch != NULL) {
                touch->truth = t;
                touch->write = write;
                rc = put_tags(touch);
        }
        if (rc == OK) {
                send(t, touch);
                return;
        }
        if (touch != NULL)
                free_touch(touch);
        write->status = err_set(&write->message, rc, "out of memory");
        write->done(write);
}
