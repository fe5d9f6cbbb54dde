/* The polls. Problem: to know, four times a second, everything that anybody has committed, and never to believe more
 * than that. Idea: each poll is one snapshot of the primary, and what it says holds from the moment before it was sent;
 * so the certificate carries that moment, however late the answer is processed. A poll that fails in any way is worth
 * nothing, and says nothing: the certificate then ages by itself, and readers ask the database instead.
 *
 * The touches of a bulk load can be more than can be had in time, and the next poll would have to ask for the same
 * again, for ever. So after a late poll few are asked for: if there are more, everything is touched.
 *
 * A poll begins `poll_interval` after the last one began, by a timer that is set anew each time: a process that was
 * stopped polls once when it goes on, not once for each interval it has missed. Two never overlap. */
#include "invalidation/truth_postgres_parts.h"

#include "base/log.h"
#include "database/mutant.h"
#include "database/pg_snapshot.h"
#include "database/tag.h"
#include "monitoring/counters.h"

#include <event2/event.h>

#include <string.h>

/* ---- for people ---- */

void truth_poll_report(
        struct truth_postgres *t, enum truth_condition condition, const char *sqlstate, const char *advice)
{
        bool changed;

        (void)pthread_mutex_lock(&t->lock);
        changed = t->state.condition != condition || strcmp(t->state.sqlstate, sqlstate) != 0;
        t->state.condition = condition;
        (void)memcpy(t->state.sqlstate, sqlstate, strlen(sqlstate) + 1);
        t->state.advice = advice;
        (void)pthread_mutex_unlock(&t->lock);
        if (!changed)
                return;
        if (condition == TRUTH_POLLING)
                LOG_INFO("postgres is followed", LOG_WORD("state", truth_condition_name(condition)));
        else
                LOG_WARNING("postgres cannot be followed", LOG_WORD("state", truth_condition_name(condition)),
                        LOG_WORD("sqlstate", t->state.sqlstate));
        if (t->config.changed != NULL)
                t->config.changed(t->config.context);
}

/* What a failed poll was about. Class 42 and 3F: something of the schema is not there. */
static void report_failure(struct truth_postgres *t)
{
        static const char setup[] =
                "the schema `vitalcache` is missing or of another version: run `vitalcache db setup`";
        const char *code = t->exchange.sqlstate;

        if (t->exchange.failure == PG_FAILURE_DEADLINE)
                truth_poll_report(t, TRUTH_SLOW, "", "the primary did not answer a poll in time");
        else if (t->exchange.failure == PG_FAILURE_CONNECT || t->exchange.failure == PG_FAILURE_LOST)
                return; /* on_lost has told */
        else if (t->exchange.failure != PG_FAILURE_NONE)
                truth_poll_report(t, TRUTH_FAILING, code, pg_failure_text(t->exchange.failure));
        else if (strcmp(code, "42501") == 0)
                truth_poll_report(t, TRUTH_FORBIDDEN, code,
                        "the role may not use the schema `vitalcache`: run `vitalcache db setup --role`");
        else if (strncmp(code, "42", 2) == 0 || strncmp(code, "3F", 2) == 0)
                truth_poll_report(t, TRUTH_NOT_INSTALLED, code, setup);
        else if (strcmp(code, "25006") == 0)
                truth_poll_report(t, TRUTH_STANDBY, code, "who answers is not the primary");
        else
                truth_poll_report(t, TRUTH_FAILING, code, "a poll failed; PostgreSQL's log says more");
}

static void show_tables(struct truth_postgres *t, const struct pg_poll_reply *reply)
{
        const uint32_t shown = reply->trouble_count < TRUTH_TROUBLES_MAX ? reply->trouble_count : TRUTH_TROUBLES_MAX;
        bool changed;

        (void)pthread_mutex_lock(&t->lock);
        changed = t->state.trouble_count != reply->trouble_count ||
                  memcmp(t->state.troubles, reply->troubles, shown * sizeof(reply->troubles[0])) != 0;
        t->state.trouble_count = reply->trouble_count;
        (void)memcpy(t->state.troubles, reply->troubles, shown * sizeof(reply->troubles[0]));
        t->state.epoch = reply->epoch;
        t->state.heartbeats = t->beat;
        t->state.round_trip = nanos_sub(t->config.now(), t->sent);
        (void)pthread_mutex_unlock(&t->lock);
        if (!changed)
                return;
        for (uint32_t i = 0; i < shown; i++)
                LOG_WARNING("table not cached", LOG_PATH("table", reply->troubles[i].table),
                        LOG_PATH("relation", reply->troubles[i].relation),
                        LOG_PATH("problem", reply->troubles[i].problem));
        if (t->config.changed != NULL)
                t->config.changed(t->config.context);
}

/* ---- publishing ---- */

static const char *text_of(const struct buf *text)
{
        return buf_len(text) == 0 ? "" : (const char *)buf_slice(text).data;
}

static void move_text(struct buf *to, struct buf *from)
{
        buf_deinit(to);
        *to = *from;
        buf_init(from, 0);
}

/* Whether touches have been cleaned up that the last published poll had not contained. The floor is compared as text
 * first: while it is the same nothing has been cleaned up, and a snapshot that was cut cannot be told to contain it. Or
 * the history has gone back: the files of a stopped server were put in place of newer ones, under the same name. */
static bool has_gap(const struct truth_postgres *t, const struct pg_poll_reply *reply, const struct snapshot *last)
{
        struct snapshot floor;

        if (last == NULL)
                return false;
        if (reply->snapshot.end < last->end)
                return true;
        if (strcmp(text_of(&t->last_floor), text_of(&reply->floor)) == 0)
                return false;
        return !pg_snapshot_read(slice_str(text_of(&reply->floor)), &floor) || !snapshot_contains(last, &floor);
}

/* The definitions that this node has checked may be others now, perhaps by another node's doing. */
static void ask_for_check(struct truth_postgres *t, const struct pg_poll_reply *reply, bool other_history)
{
        if (!t->config.check_definitions)
                return;
        if (!other_history && strcmp(text_of(&t->last_definitions), text_of(&reply->definitions)) == 0)
                return;
        t->round++;
        if (t->config.recheck != NULL)
                t->config.recheck(t->config.context, t->round);
}

static enum err withhold(struct truth_postgres *t, struct pg_poll_reply *reply)
{
        const struct tag all = {.kind = TAG_ALL};
        enum err rc = tag_hashes_add_all(&reply->withheld, &t->uncovered);

        if (rc == OK)
                rc = truth_touch_withhold(t, reply, &reply->withheld);
        if (rc == OK && t->config.check_definitions && t->checked != t->round && !MUTANT(CHECK_NOT_AWAITED))
                rc = tag_hashes_add(&reply->withheld, tag_hash(&all, t->tag_seed));
        return rc;
}

static void publish(struct truth_postgres *t, struct pg_poll_reply *reply)
{
        const struct snapshot *last = freshness_last_poll(t->config.freshness, reply->epoch);
        const bool other_history = reply->epoch != freshness_epoch(t->config.freshness);
        struct freshness_poll poll = {
                .number = t->number,
                .epoch = reply->epoch,
                .sent = MUTANT(CERTIFICATE_AT_REPLY) ? t->config.now() : t->sent,
                .snapshot = reply->snapshot,
                .gap = has_gap(t, reply, last),
                .heartbeats = t->beat,
        };

        ask_for_check(t, reply, other_history);
        if (other_history)
                truth_upkeep_forget(t);
        if (withhold(t, reply) != OK) /* then the poll is worth nothing */
                return;
        poll.touched = reply->touched.hashes;
        poll.touched_count = reply->touched.count;
        poll.withheld = reply->withheld.hashes;
        poll.withheld_count = reply->withheld.count;
        freshness_poll_end(t->config.freshness, &poll);
        counter_add(COUNTER_polls, 1);
        counter_add(COUNTER_histories, other_history);
        counter_add(COUNTER_poll_gaps, poll.gap);
        counter_add(COUNTER_tags_touched, reply->touched.count);
        truth_upkeep_after_poll(t, reply);
        show_tables(t, reply);
        move_text(&t->last_snapshot, &reply->snapshot_text);
        move_text(&t->last_floor, &reply->floor);
        move_text(&t->last_definitions, &reply->definitions);
        truth_poll_report(t, TRUTH_POLLING, "", NULL);
}

/* ---- one poll ---- */

static void set_timer(struct truth_postgres *t, struct nanos span)
{
        const int64_t us = span.ns <= 0 ? 0 : (span.ns + 999) / 1000;
        const struct timeval timeout = {us / 1000000, us % 1000000};

        (void)event_add(t->timer, &timeout);
}

static void on_result(struct pg_exchange *exchange, uint32_t step, const PGresult *result)
{
        struct truth_postgres *t = exchange->context;
        enum err rc = pg_poll_take(&t->poll, step, result);

        if (t->poll_status == OK)
                t->poll_status = rc;
}

/* "canceling the wait for synchronous replication": committed here, and nowhere else. */
static void on_notice(struct pg_exchange *exchange, const PGresult *notice)
{
        struct truth_postgres *t = exchange->context;
        const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

        if (severity == NULL || strcmp(severity, "WARNING") == 0)
                t->warned = true;
}

/* Whether the server's answer says who it is and that it may be believed; else what is to be done about it is begun. */
static bool is_credible(struct truth_postgres *t, struct pg_poll_reply *reply)
{
        if (!reply->is_primary && !MUTANT(POLL_OF_REPLICA)) {
                truth_poll_report(t, TRUTH_STANDBY, "", "who answers is not the primary");
                return false;
        }
        if (reply->version != TRUTH_VERSION && !MUTANT(VERSION_IGNORED)) {
                truth_poll_report(t, TRUTH_NOT_INSTALLED, "",
                        "the schema `vitalcache` is of another version: run `vitalcache db setup`");
                return false;
        }
        if (reply->epoch == EPOCH_NONE && MUTANT(ALIVE_IGNORED))
                reply->epoch = freshness_epoch(t->config.freshness);
        if (reply->epoch == EPOCH_NONE) {
                truth_upkeep_begin_epoch(t);
                return false;
        }
        if (t->beat && t->warned && !MUTANT(BEAT_FAILURE_COUNTS)) {
                truth_poll_report(t, TRUTH_UNCONFIRMED, "", "no synchronous replica has confirmed a heartbeat");
                return false;
        }
        return true;
}

/* Whether this server's polls are to commit something. One that was promoted mostly has no replicas yet; but the one
 * that it has replaced may still answer reads on connections that stand, and only the heartbeats tell the two apart. So
 * what a history with synchronous replicas began goes on in those that follow it. */
static bool wants_beat(struct truth_postgres *t, const struct pg_poll_reply *reply)
{
        if (reply->synchronous)
                t->beat_epoch = reply->epoch;
        return reply->synchronous || (t->beat && reply->epoch != t->beat_epoch);
}

/* Whether this poll had the heartbeat that the server calls for; if not, the next one has it, at once. */
static bool has_beaten(struct truth_postgres *t, const struct pg_poll_reply *reply)
{
        const bool had = t->beat;

        if (t->config.heartbeat != TRUTH_HEARTBEAT_AUTO || wants_beat(t, reply) == t->beat)
                return true;
        t->beat = reply->synchronous;
        if (t->config.heartbeats != NULL)
                t->config.heartbeats(t->config.context, t->beat);
        if (had)
                return true; /* what is published says that proof is no longer needed */
        freshness_set_heartbeats(t->config.freshness, true);
        truth_poll_now(t);
        return false;
}

static void on_done(struct pg_exchange *exchange)
{
        struct truth_postgres *t = exchange->context;
        struct pg_poll_reply *reply = &t->poll.reply;

        t->polling = false;
        t->late = exchange->failure == PG_FAILURE_DEADLINE;
        if (exchange->status != OK || t->poll_status != OK || !pg_poll_is_whole(&t->poll)) {
                if (exchange->failure != PG_FAILURE_CLOSED)
                        report_failure(t);
                counter_add(COUNTER_polls_failed, 1);
                if (MUTANT(FAILED_POLL_COUNTS))
                        move_text(&t->last_snapshot, &reply->snapshot_text);
        } else if (!is_credible(t, reply)) {
                counter_add(COUNTER_polls_failed, 1);
        } else if (has_beaten(t, reply)) {
                publish(t, reply);
        }
        if (t->due && t->timer != NULL)
                set_timer(t, NANOS_ZERO);
}

/* What has been touched is asked for since the last poll that was published in the history of then; if the answer is of
 * another history, it does not matter what was asked. */
static void poll(struct truth_postgres *t)
{
        const struct freshness *f = t->config.freshness;
        const bool has_last = freshness_last_poll(f, freshness_epoch(f)) != NULL;

        t->polling = true;
        t->due = false;
        t->warned = false;
        t->poll_status = OK;
        pg_poll_ask(&t->poll, has_last ? text_of(&t->last_snapshot) : NULL,
                t->late ? PG_POLL_TOUCHES_FEW : PG_POLL_TOUCHES_MAX, t->beat ? t->config.node : NULL);
        t->number = freshness_poll_begin(t->config.freshness);
        t->sent = t->config.now();
        t->exchange = (struct pg_exchange){
                .steps = t->poll.steps,
                .step_count = t->poll.step_count,
                .deadline = nanos_add(t->sent, t->config.poll_timeout),
                .quiet = true,
                .result = on_result,
                .notice = on_notice,
                .done = on_done,
                .context = t,
        };
        set_timer(t, t->config.poll_interval);
        pg_pool_run(t->polls, &t->exchange);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
        struct truth_postgres *t = context;

        (void)fd;
        (void)what;
        if (t->polling)
                t->due = true;
        else
                poll(t);
}

void truth_poll_now(struct truth_postgres *t)
{
        if (t->polling)
                t->due = true;
        else if (t->timer != NULL)
                set_timer(t, NANOS_ZERO);
}

enum err truth_poll_init(struct truth_postgres *t)
{
        t->timer = event_new(loop_thread_base(t->config.thread), -1, 0, on_timer, t);
        return t->timer == NULL ? ERR_NOMEM : OK;
}

void truth_poll_deinit(struct truth_postgres *t)
{
        if (t->timer != NULL)
                event_free(t->timer);
        t->timer = NULL;
        buf_deinit(&t->last_snapshot);
        buf_deinit(&t->last_floor);
        buf_deinit(&t->last_definitions);
}
