/* What some node must do for all, and any can: naming a new history, signing tables whose triggers are back, cleaning
 * up touches that nobody will ask for. All may try at the same time; PostgreSQL's locks let one do it. */
#include "invalidation/truth_postgres_parts.h"

#include "base/log.h"
#include "monitoring/counters.h"

#include <string.h>

static void on_result(struct pg_exchange *exchange, uint32_t step, const PGresult *result)
{
        struct truth_call *call = LIST_ENTRY(exchange, struct truth_call, exchange);

        (void)step;
        call->said_yes = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                         strcmp(PQgetvalue(result, 0, 0), "t") == 0;
}

static void init_call(struct truth_call *call, const char *sql, const char *label)
{
        pg_statement_init(&call->statement, sql, label);
        call->step = (struct pg_step){.statement = &call->statement};
}

static void run(struct truth_postgres *t, struct truth_call *call, const char *value,
        void (*done)(struct pg_exchange *exchange))
{
        VC_ASSERT(!call->under_way);
        call->under_way = true;
        call->said_yes = false;
        call->begun = t->config.now();
        call->values[0] = value;
        call->step.value_count = value != NULL;
        call->step.values = call->values;
        call->exchange = (struct pg_exchange){
                .steps = &call->step,
                .step_count = 1,
                .deadline = nanos_add(call->begun, t->config.write_timeout),
                .result = on_result,
                .done = done,
                .context = t,
        };
        pg_pool_run(t->writes, &call->exchange);
}

static bool ended(struct pg_exchange *exchange)
{
        LIST_ENTRY(exchange, struct truth_call, exchange)->under_way = false;
        return exchange->status == OK && exchange->sqlstate[0] == '\0';
}

/* ---- naming a history ---- */

static void on_epoch_begun(struct pg_exchange *exchange)
{
        struct truth_postgres *t = exchange->context;

        if (ended(exchange)) {
                LOG_INFO("a new history begins", LOG_WORD("database", "postgres"));
                truth_poll_now(t);
        } else if (exchange->failure != PG_FAILURE_CLOSED) {
                truth_poll_report(t, TRUTH_FAILING, exchange->sqlstate,
                        "the database was restarted, and no new history could be begun");
        }
}

void truth_upkeep_begin_epoch(struct truth_postgres *t)
{
        if (!t->begin_epoch.under_way)
                run(t, &t->begin_epoch, NULL, on_epoch_begun);
}

/* ---- signing anew ---- */

static void on_signed(struct pg_exchange *exchange)
{
        struct truth_postgres *t = exchange->context;

        if (ended(exchange))
                truth_poll_now(t);
        else if (exchange->failure != PG_FAILURE_CLOSED)
                LOG_WARNING("tables not signed anew", LOG_PATH("sqlstate", exchange->sqlstate));
}

/* Not more often than once a second: where it does not help, it would touch everything again and again. */
static void sign_anew(struct truth_postgres *t)
{
        const struct nanos next = nanos_add(t->resign.begun, nanos_ms(1000));

        if (!t->resign.under_way && (t->resign.begun.ns == 0 || !nanos_before(t->config.now(), next)))
                run(t, &t->resign, NULL, on_signed);
}

/* ---- cleaning up ---- */

static void on_cleaned(struct pg_exchange *exchange)
{
        const struct truth_call *call = LIST_ENTRY(exchange, struct truth_call, exchange);

        if (ended(exchange))
                counter_add(COUNTER_touches_cleaned, call->said_yes);
        else if (exchange->failure != PG_FAILURE_CLOSED)
                LOG_WARNING("touches not cleaned up", LOG_PATH("sqlstate", exchange->sqlstate));
}

static void drop_samples(struct truth_postgres *t, uint32_t count)
{
        for (uint32_t i = 0; i < count; i++)
                buf_deinit(&t->samples[i].text);
        t->sample_count -= count;
        (void)memmove(t->samples, t->samples + count, t->sample_count * sizeof(t->samples[0]));
}

void truth_upkeep_forget(struct truth_postgres *t)
{
        drop_samples(t, t->sample_count);
}

/* Samples are taken so far apart that those which are too young fit into the list. */
static void take_sample(struct truth_postgres *t, const struct pg_poll_reply *reply)
{
        const int64_t part = t->config.longest_life.ns / (TRUTH_SAMPLES / 2);
        const struct nanos apart = {part > t->config.clean_interval.ns ? part : t->config.clean_interval.ns};
        struct truth_sample *sample = &t->samples[t->sample_count];

        if (t->sample_count == TRUTH_SAMPLES)
                return;
        if (t->sample_count > 0 && nanos_before(t->sent, nanos_add(sample[-1].at, apart)))
                return;
        *sample = (struct truth_sample){.at = t->sent};
        if (buf_append_slice(&sample->text, buf_slice(&reply->snapshot_text)) == OK)
                t->sample_count++;
        else
                buf_deinit(&sample->text);
}

/* The newest sample that is older than every entry of any node: their number up to it, 0 when there is none. */
static uint32_t old_samples(const struct truth_postgres *t)
{
        const struct nanos needed = nanos_add(t->config.longest_life, t->config.poll_timeout);
        uint32_t count = 0;

        while (count < t->sample_count && !nanos_before(t->sent, nanos_add(t->samples[count].at, needed)))
                count++;
        return count;
}

static void clean(struct truth_postgres *t)
{
        const uint32_t old = old_samples(t);

        if (t->clean.under_way || old == 0)
                return;
        if (t->clean.begun.ns != 0 && nanos_before(t->sent, nanos_add(t->clean.begun, t->config.clean_interval)))
                return;
        drop_samples(t, old - 1);
        run(t, &t->clean, (const char *)buf_slice(&t->samples[0].text).data, on_cleaned);
}

void truth_upkeep_after_poll(struct truth_postgres *t, const struct pg_poll_reply *reply)
{
        if (reply->sign_anew)
                sign_anew(t);
        take_sample(t, reply);
        clean(t);
}

/* ---- life ---- */

void truth_upkeep_init(struct truth_postgres *t)
{
        init_call(&t->begin_epoch, "SELECT vitalcache.vc_begin_epoch()", "begin epoch");
        init_call(&t->resign, "SELECT vitalcache.vc_resign()", "sign anew");
        init_call(&t->clean, "SELECT vitalcache.vc_clean($1::pg_catalog.text)", "clean up");
}

void truth_upkeep_deinit(struct truth_postgres *t)
{
        truth_upkeep_forget(t);
}
