#include "invalidation/pg_poll.h"

#include "base/cursor.h"
#include "database/mutant.h"
#include "database/pg_snapshot.h"
#include "database/tag.h"
#include "invalidation/stamp.h"

#include <stdio.h>

enum kind { BEGIN, DURABLE, HEAD, TOUCHED, STATE, BEAT, COMMIT };

/* A heartbeat proves something only if its commit waits, whatever the role's settings are. */
static const struct {
        const char *sql;
        const char *label;
} texts[] = {
        [BEGIN] = {"BEGIN ISOLATION LEVEL REPEATABLE READ", "poll begin"},
        [DURABLE] = {"SET LOCAL synchronous_commit = on", "poll durable"},
        [HEAD] = {"SELECT * FROM vitalcache.vc_poll()", "poll head"},
        [TOUCHED] = {"SELECT vitalcache.vc_touched($1::pg_catalog.text, $2::pg_catalog.int4)", "poll touches"},
        [STATE] = {"SELECT * FROM vitalcache.vc_state()", "poll state"},
        [BEAT] = {"SELECT vitalcache.vc_beat($1::pg_catalog.text)", "poll heartbeat"},
        [COMMIT] = {"COMMIT", "poll commit"},
};

/* ---- the question ---- */

void pg_poll_init(struct pg_poll *poll, uint64_t tag_seed)
{
        *poll = (struct pg_poll){.tag_seed = tag_seed};
        for (unsigned i = 0; i < PG_POLL_STEPS_MAX; i++)
                pg_statement_init(&poll->statements[i], texts[i].sql, texts[i].label);
        poll->statements[BEGIN].once = poll->statements[COMMIT].once = poll->statements[DURABLE].once = true;
        poll->statements[TOUCHED].binary_results = true;
}

static void forget(struct pg_poll_reply *reply)
{
        buf_deinit(&reply->snapshot_text);
        buf_deinit(&reply->floor);
        buf_deinit(&reply->definitions);
        tag_hashes_deinit(&reply->touched);
        tag_hashes_deinit(&reply->withheld);
        *reply = (struct pg_poll_reply){0};
}

void pg_poll_deinit(struct pg_poll *poll)
{
        forget(&poll->reply);
}

static void add_step(struct pg_poll *poll, enum kind kind, int value_count, const char *const *values)
{
        poll->kinds[poll->step_count] = (uint8_t)kind;
        poll->steps[poll->step_count++] = (struct pg_step){
                .statement = &poll->statements[kind],
                .value_count = value_count,
                .values = values,
        };
}

void pg_poll_ask(struct pg_poll *poll, const char *after, int most, const char *node)
{
        forget(&poll->reply);
        poll->step_count = poll->answered = 0;
        poll->touched_values[0] = after;
        poll->most = most;
        (void)snprintf(poll->most_text, sizeof(poll->most_text), "%d", most + 1);
        poll->touched_values[1] = poll->most_text;
        poll->beat_values[0] = node;
        add_step(poll, BEGIN, 0, NULL);
        if (node != NULL)
                add_step(poll, DURABLE, 0, NULL);
        add_step(poll, HEAD, 0, NULL);
        if (after != NULL)
                add_step(poll, TOUCHED, 2, poll->touched_values);
        add_step(poll, STATE, 0, NULL);
        if (node != NULL)
                add_step(poll, BEAT, 1, poll->beat_values);
        add_step(poll, COMMIT, 0, NULL);
}

/* ---- the answers ---- */

/* A value of row 0 by its column's name; false when there is no such column or it is NULL. */
static bool value_of(const PGresult *result, int row, const char *column, struct slice *out)
{
        const int at = PQfnumber(result, column);

        *out = SLICE_EMPTY;
        if (at < 0 || PQgetisnull(result, row, at))
                return false;
        *out = pg_cell_bytes(result, row, at);
        return true;
}

static bool read_bool(const PGresult *result, int row, const char *column, bool *out)
{
        struct slice text;

        if (!value_of(result, row, column, &text) || text.len != 1)
                return false;
        *out = text.data[0] == 't';
        return *out || text.data[0] == 'f';
}

/* Of what is not set on a standby, and of what does not exist before the first epoch, nothing is asked here. */
static bool read_head(struct pg_poll_reply *reply, const PGresult *result)
{
        struct slice text;
        int64_t number;

        if (PQntuples(result) != 1)
                return false;
        if (!read_bool(result, 0, "is_primary", &reply->is_primary) ||
                !read_bool(result, 0, "synchronous", &reply->synchronous))
                return false;
        if (value_of(result, 0, "epoch", &text)) {
                if (!slice_to_i64(text, &number) || number <= 0)
                        return false;
                reply->epoch = (uint64_t)number;
        }
        if (value_of(result, 0, "version", &text) && !slice_to_i64(text, &reply->version))
                return false;
        return value_of(result, 0, "snapshot", &text) && pg_snapshot_read(text, &reply->snapshot);
}

static enum err keep(struct buf *out, const PGresult *result, const char *column)
{
        struct slice text;
        enum err rc;

        (void)value_of(result, 0, column, &text);
        rc = buf_append_slice(out, text);
        return rc == OK ? buf_append(out, "", 1) : rc;
}

static enum err take_head(struct pg_poll *poll, const PGresult *result)
{
        struct pg_poll_reply *reply = &poll->reply;
        enum err rc = read_head(reply, result) ? OK : ERR_CORRUPT;

        if (rc == OK)
                rc = keep(&reply->snapshot_text, result, "snapshot");
        if (rc == OK)
                rc = keep(&reply->floor, result, "floor");
        return rc == OK ? keep(&reply->definitions, result, "definitions") : rc;
}

static uint64_t hash_of_table(const struct pg_poll *poll, struct slice table)
{
        const struct tag tag = {.kind = table.len == 0 ? TAG_ALL : TAG_TABLE, .table = table};

        return tag_hash(&tag, poll->tag_seed);
}

/* Whatever the bytes are: nobody is asked to write only tags that are known here. */
static enum err take_touched(struct pg_poll *poll, const PGresult *result)
{
        struct tag_hashes *touched = &poll->reply.touched;
        const int rows = PQntuples(result);
        enum err rc = PQnfields(result) == 1 ? OK : ERR_CORRUPT;

        if (rows > poll->most && !MUTANT(TOUCH_LIMIT_IGNORED))
                return tag_hashes_add(touched, hash_of_table(poll, SLICE_EMPTY));
        if (rc == OK)
                rc = tag_hashes_reserve(touched, (size_t)rows);
        for (int i = 0; rc == OK && i < rows && i < poll->most; i++) {
                const struct slice tag = pg_cell_bytes(result, i, 0);

                rc = PQgetisnull(result, i, 0) ? ERR_CORRUPT
                                               : tag_hashes_add(touched, tag_hash_encoded(tag, poll->tag_seed));
        }
        return rc;
}

static void name_trouble(struct pg_poll_reply *reply, const PGresult *result, int row)
{
        struct truth_trouble *trouble = &reply->troubles[reply->trouble_count];
        struct slice text;

        if (reply->trouble_count++ >= TRUTH_TROUBLES_MAX)
                return;
        (void)value_of(result, row, "table_name", &text);
        (void)snprintf(trouble->table, sizeof(trouble->table), "%.*s", (int)text.len, text.data);
        (void)value_of(result, row, "relation", &text);
        (void)snprintf(trouble->relation, sizeof(trouble->relation), "%.*s", (int)text.len, text.data);
        (void)value_of(result, row, "problem", &text);
        (void)snprintf(trouble->problem, sizeof(trouble->problem), "%.*s", (int)text.len, text.data);
}

/* What is not in order is withheld; what has changed is, too, until what was missed has been touched: vc_resign() does
 * that, and then the row is gone. */
static enum err take_state(struct pg_poll *poll, const PGresult *result)
{
        struct pg_poll_reply *reply = &poll->reply;
        const int rows = PQntuples(result);
        struct slice table;
        struct slice problem;

        for (int i = 0; i < rows; i++) {
                if (!value_of(result, i, "table_name", &table) || table.len == 0 || table.len > TAG_PART_MAX)
                        return ERR_CORRUPT;
                if (value_of(result, i, "problem", &problem))
                        name_trouble(reply, result, i);
                else if (!MUTANT(CHANGE_IGNORED))
                        reply->sign_anew = true;
                else
                        continue;
                if (tag_hashes_add(&reply->withheld, hash_of_table(poll, table)) != OK)
                        return ERR_NOMEM;
        }
        return OK;
}

enum err pg_poll_take(struct pg_poll *poll, uint32_t step, const PGresult *result)
{
        const ExecStatusType status = PQresultStatus(result);
        enum err rc = OK;

        if (step >= poll->step_count || (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK))
                return ERR_UNAVAILABLE;
        switch ((enum kind)poll->kinds[step]) {
        case HEAD: rc = take_head(poll, result); break;
        case TOUCHED: rc = take_touched(poll, result); break;
        case STATE: rc = take_state(poll, result); break;
        case COMMIT:
                rc = strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0 ? OK : ERR_UNAVAILABLE;
                break;
        case BEGIN:
        case DURABLE:
        case BEAT: break;
        }
        poll->answered += rc == OK;
        return rc;
}

bool pg_poll_is_whole(const struct pg_poll *poll)
{
        return poll->step_count > 0 && poll->answered == poll->step_count;
}
