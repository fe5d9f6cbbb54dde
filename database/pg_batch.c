/* One batch of reads under way: an exchange, what its results mean, and what is asked again.
 *
 *      CHECK --- modified ---------------> FETCH --- odd ids ---> FETCH of each half … ---> ALONE
 *                                            ^  +--- no record that tells who exists ---> EXISTENCE
 *      FETCH on a replica --- could not say -+
 *
 * Every arrow is one more round trip. A query that failed, with all others behind it, is run once more apart from them;
 * for a while all batches of the loop are then run apart from the first. Reads that an odd id, or one student's bad
 * data, has spoilt are asked again in halves, so that those which have nothing to do with it are soon rid of it; the
 * last few get queries of their own: a thousand with one bad among them cost some hundred queries so, and not some for
 * each. A batch that found that the schema `vitalcache` is not there, that a prepared plan had become stale, or that
 * DDL had moved a table behind its snapshot, is run once more as it is. */
#include "base/log.h"
#include "base/mem.h"
#include "database/mutant.h"
#include "database/pg_port.h"
#include "database/pg_unmodified.h"
#include "database/pg_value.h"
#include "monitoring/counters.h"

enum {
        REPLICA_REST_MS = 1000,
        BARE_MS = 10000, /* how long no read looks for a schema that was not there, unless it is told of it */
        ALONE_MAX = 8,   /* reads that get queries of their own */
        APART_MS = 10000 /* how long a failed query makes all be kept apart */
};

static const char UNPROVED[] = "PostgreSQL cannot vouch for what it shows; is it a standby?";

struct pg_batch {
        struct pg_exchange exchange;
        struct pg_errand_in in;
        struct list reads;
        struct pg_plan plan;
        struct pg_unmodified check;
        struct pg_meta meta;
        bool bare;    /* it was planned without the schema `vitalcache` */
        bool again;   /* it has been run once more already */
        bool apart;   /* a query that fails leaves the others be */
        bool spoilt;  /* one has failed that did not */
        bool broken;  /* a step that all others need has failed */
        bool missing; /* because the schema is not there */
        bool told;    /* the step HERE has had a sound result */
        bool steady;  /* no DDL came between the snapshot and the queries */
        bool beaten;  /* the heartbeat is committed */
        bool waived;  /* the server gave up waiting for its synchronous replicas */
};

static bool on_replica(const struct pg_batch *b)
{
        return b->in.replica != PG_PRIMARY;
}

/* ---- ends ---- */

/* `why` is for people. */
static void fail_all(struct list *reads, enum err status, const char *why)
{
        while (!list_empty(reads)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(reads), struct source_read, link);

                read->status = err_set(&read->message, status, "%s", why);
                read->found = false;
                read->unmodified = false;
                read->done(read);
        }
}

static void finish_all(struct list *reads)
{
        while (!list_empty(reads)) {
                struct source_read *read = LIST_ENTRY(list_pop_front(reads), struct source_read, link);

                read->done(read);
        }
}

static void end_plan(struct pg_batch *b)
{
        if (b->in.errand == PG_ERRAND_CHECK)
                pg_unmodified_deinit(&b->check);
        pg_plan_deinit(&b->plan);
}

/* The batch is over; its reads have gone elsewhere. */
static void destroy(struct pg_batch *b)
{
        end_plan(b);
        VC_ASSERT(list_empty(&b->reads));
        vc_free(b);
}

/* ---- results ---- */

/* Or the role may not use it, which comes to the same: nothing vouches for copies. */
static bool is_missing_schema(const char *sqlstate)
{
        static const char *const states[] = {
                "3F000", "42883", "42P01", "42501"}; /* schema, function, relation, right */

        for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
                if (strcmp(sqlstate, states[i]) == 0)
                        return true;
        return false;
}

static void take_here(struct pg_batch *b, const PGresult *result)
{
        char sqlstate[6];

        b->told = pg_meta_read(result, on_replica(b), &b->meta);
        if (b->told)
                return;
        pg_sqlstate(result, sqlstate);
        b->missing = !on_replica(b) && is_missing_schema(sqlstate);
        b->broken = true;
}

/* Whether the ids could not be taken for numbers of the query's parameter: the error came from reading the parameter,
 * not from running the query on data. The text is PostgreSQL's own (bind_param_error_callback in its tcop/postgres.c);
 * in another language, it is not recognised. A second line would say that another server met the error. */
static bool is_unbound(const PGresult *result, const char *sqlstate)
{
        static const char where[] = "unnamed portal parameter $1";
        const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);

        return strcmp(sqlstate, "22003") == 0 && context != NULL && strchr(context, '\n') == NULL &&
               strncmp(context, where, sizeof(where) - 1) == 0;
}

static void take_query(struct pg_batch *b, struct pg_query *query, const PGresult *result)
{
        const struct pg_rows_in in = {.subject = query->type == NULL ? NULL : query->subject->name,
                .ids = query->ids,
                .id_count = query->id_count};

        if (PQresultStatus(result) == PGRES_TUPLES_OK) {
                query->status = pg_rows_take(&query->rows, &in, result);
                if (query->status == ERR_CORRUPT || query->rows.damaged)
                        LOG_WARNING("postgres_result_unreadable", LOG_WORD("statement", query->statement->label));
                return;
        }
        b->spoilt = !b->apart;
        query->status = ERR_UNAVAILABLE;
        pg_sqlstate(result, query->sqlstate);
        query->unbound = is_unbound(result, query->sqlstate);
}

static void on_result(struct pg_exchange *exchange, uint32_t step, const PGresult *result)
{
        struct pg_batch *b = exchange->context;
        const struct pg_plan_part *part = &b->plan.parts[step];
        const ExecStatusType status = PQresultStatus(result);
        const bool sound = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

        switch (part->role) {
        case PG_ROLE_PLAIN: b->broken = b->broken || !sound; break;
        case PG_ROLE_HERE: take_here(b, result); break;
        case PG_ROLE_QUERY: take_query(b, &b->plan.queries[part->query], result); break;
        case PG_ROLE_CHECK:
                if (sound)
                        pg_unmodified_take(&b->check, &b->plan, result);
                else
                        b->broken = true;
                break;
        case PG_ROLE_STEADY: b->steady = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0; break;
        case PG_ROLE_BEAT: b->beaten = sound; break;
        }
}

/* "canceling wait for synchronous replication" comes as a warning, behind the commit's success. Warnings of the types'
 * own SQL come before its result. */
static void on_notice(struct pg_exchange *exchange, const PGresult *notice)
{
        struct pg_batch *b = exchange->context;
        const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        const uint32_t last = b->plan.step_count - 1;

        if (severity != NULL && strcmp(severity, "WARNING") == 0 && exchange->results >= last)
                b->waived = true;
}

/* ---- what comes next ---- */

/* outcome() was OK: if there was a heartbeat, it is confirmed. */
static void note_proof(const struct pg_batch *b)
{
        for (uint32_t i = 0; i < b->plan.item_count; i++)
                b->plan.items[i].read->beaten = b->in.beat;
}

static void move_all(struct list *to, struct list *from)
{
        list_splice_back(to, from);
}

/* The reads go on in another batch, with the same deadline. */
static void go_on(const struct pg_batch *b, enum pg_errand errand, struct list *reads)
{
        struct pg_errand_in next = b->in;

        next.errand = errand;
        next.replica = PG_PRIMARY;
        next.way = NULL;
        if (!list_empty(reads))
                (void)pg_batch_start(&next, reads);
}

/* Reads by what comes next. */
struct verdicts {
        struct list answered;
        struct list alone;
        struct list existence;
        struct list primary;
};

/* Divides the batch's reads: answered, and to be asked again. */
static void divide(struct pg_batch *b, struct verdicts *to)
{
        for (uint32_t i = 0; i < b->plan.item_count; i++) {
                const struct pg_item *item = &b->plan.items[i];

                list_remove(&item->read->link);
                switch (pg_value_answer(&b->plan, item, &b->meta)) {
                case PG_ANSWERED: list_push_back(&to->answered, &item->read->link); break;
                case PG_ALONE: list_push_back(&to->alone, &item->read->link); break;
                case PG_ASK_EXISTENCE: list_push_back(&to->existence, &item->read->link); break;
                case PG_ASK_PRIMARY: list_push_back(&to->primary, &item->read->link); break;
                }
        }
}

static uint64_t list_count(const struct list *list)
{
        uint64_t count = 0;

        LIST_FOREACH (link, list)
                count++;
        return count;
}

static void ask_again(const struct pg_batch *b, struct list *reads)
{
        const uint64_t count = list_count(reads);
        struct list half;

        counter_add(COUNTER_database_alone_reads, count);
        if (count <= ALONE_MAX) {
                go_on(b, PG_ERRAND_ALONE, reads);
                return;
        }
        list_init(&half);
        for (uint64_t i = 0; i < count / 2; i++)
                list_push_back(&half, list_pop_front(reads));
        go_on(b, PG_ERRAND_FETCH, &half);
        go_on(b, PG_ERRAND_FETCH, reads);
}

static void end_fetch(struct pg_batch *b)
{
        struct verdicts to;

        note_proof(b);
        list_init(&to.answered);
        list_init(&to.alone);
        list_init(&to.existence);
        list_init(&to.primary);
        divide(b, &to);
        counter_add(COUNTER_database_replica_refusals, list_count(&to.primary));
        ask_again(b, &to.alone);
        go_on(b, PG_ERRAND_EXISTENCE, &to.existence);
        go_on(b, PG_ERRAND_FETCH, &to.primary);
        destroy(b);
        finish_all(&to.answered);
}

static void end_check(struct pg_batch *b)
{
        struct list answered;
        struct list modified;

        note_proof(b);
        list_init(&answered);
        list_init(&modified);
        for (uint32_t i = 0; i < b->plan.item_count; i++) {
                const struct pg_item *item = &b->plan.items[i];

                list_remove(&item->read->link);
                if (pg_unmodified_answer(&b->check, item, &b->plan, &b->meta))
                        list_push_back(&answered, &item->read->link);
                else
                        list_push_back(&modified, &item->read->link);
        }
        go_on(b, PG_ERRAND_FETCH, &modified);
        destroy(b);
        finish_all(&answered);
}

/* All of the batch's reads go on in another batch. */
static void pass_on(struct pg_batch *b, enum pg_errand errand)
{
        struct list reads;

        list_init(&reads);
        move_all(&reads, &b->reads);
        go_on(b, errand, &reads);
        destroy(b);
}

/* The primary is asked instead; the replica only after a while again. */
static void leave_replica(struct pg_batch *b)
{
        struct pg_port *port = b->in.port;

        counter_add(COUNTER_database_replica_refusals, b->plan.item_count);
        port->replica_rests[b->in.replica] = nanos_add(port->source->config.clock(), nanos_ms(REPLICA_REST_MS));
        pass_on(b, PG_ERRAND_FETCH);
}

static void fail(struct pg_batch *b, enum err status, const char *why)
{
        struct list reads;

        list_init(&reads);
        move_all(&reads, &b->reads);
        destroy(b);
        fail_all(&reads, status, why == NULL ? err_text(status) : why);
}

/* ---- one run ---- */

static void on_done(struct pg_exchange *exchange);

static bool is_bare(struct pg_source *source)
{
        return source->config.clock().ns < atomic_load(&source->bare_until);
}

static void set_bare(struct pg_source *source)
{
        atomic_store(&source->bare_until, nanos_add(source->config.clock(), nanos_ms(BARE_MS)).ns);
}

static enum err make_plan(struct pg_batch *b)
{
        struct pg_port *port = b->in.port;
        struct pg_source *source = port->source;
        const struct pg_plan_in in = {.sql = &source->sql,
                .types = source->config.types,
                .states = source->states,
                .alone = b->in.errand == PG_ERRAND_ALONE,
                .apart = b->apart,
                .existence = b->in.errand == PG_ERRAND_EXISTENCE,
                .replica = on_replica(b),
                .bare = b->bare,
                .session = !source->config.primary.session_settings,
                .node = b->in.beat ? port->node : NULL};

        if (b->in.errand == PG_ERRAND_CHECK)
                return pg_unmodified_init(&b->check, &b->plan, &in, &b->reads);
        return pg_plan_init(&b->plan, &in, &b->reads);
}

/* A replica that does not answer must leave the primary time to. */
static struct nanos deadline_of(const struct pg_batch *b)
{
        const struct nanos now = b->in.port->source->config.clock();

        if (!on_replica(b) || !nanos_before(now, b->in.deadline))
                return b->in.deadline;
        return nanos_add(now, (struct nanos){nanos_sub(b->in.deadline, now).ns / 2});
}

static bool failed_lately(const struct pg_port *port)
{
        return nanos_before(NANOS_ZERO, port->apart_until) &&
               nanos_before(port->source->config.clock(), port->apart_until);
}

/* Plans and sends. ERR_NOMEM, ERR_LIMIT: nothing was sent, there is no plan. */
static enum err run(struct pg_batch *b)
{
        enum err rc;

        b->bare = !on_replica(b) && is_bare(b->in.port->source);
        b->apart = b->apart || b->in.errand == PG_ERRAND_ALONE || failed_lately(b->in.port);
        b->spoilt = b->broken = b->missing = b->told = b->steady = b->beaten = b->waived = false;
        rc = make_plan(b);
        if (rc != OK)
                return rc;
        b->exchange = (struct pg_exchange){.steps = b->plan.steps,
                .step_count = b->plan.step_count,
                .deadline = deadline_of(b),
                .repeatable = true,
                .result = on_result,
                .notice = on_notice,
                .done = on_done,
                .context = b};
        pg_pool_run(on_replica(b) ? b->in.port->replicas[b->in.replica] : b->in.port->primary, &b->exchange);
        return OK;
}

/* The batch has no plan and cannot be sent. */
static void give_up(struct pg_batch *b, enum err status)
{
        struct list reads;

        list_init(&reads);
        move_all(&reads, &b->reads);
        vc_free(b);
        fail_all(&reads, status, err_text(status));
}

static void run_again(struct pg_batch *b)
{
        enum err rc;

        end_plan(b);
        rc = run(b);
        if (rc != OK)
                give_up(b, rc);
}

static void run_apart(struct pg_batch *b)
{
        struct pg_port *port = b->in.port;

        port->apart_until = nanos_add(port->source->config.clock(), nanos_ms(APART_MS));
        b->apart = true;
        run_again(b);
}

/* Whether its queries may have read other tables than its snapshot knows. */
static bool moved(const struct pg_batch *b)
{
        if (b->steady || b->bare || b->spoilt || b->in.errand == PG_ERRAND_CHECK || MUTANT(DDL_UNNOTICED))
                return false;
        for (uint32_t i = 0; i < b->plan.query_count; i++) {
                if (b->plan.queries[i].status == OK)
                        return true;
        }
        return false;
}

/* Why the batch as a whole has no results; OK: it has. */
static enum err outcome(const struct pg_batch *b)
{
        if (b->exchange.status != OK)
                return b->exchange.status;
        if (b->broken || !b->told || moved(b))
                return ERR_UNAVAILABLE;
        return b->in.beat && (!b->beaten || b->waived) ? ERR_UNAVAILABLE : OK;
}

static const char *problem_of(const struct pg_batch *b)
{
        if (b->exchange.status != OK)
                return pg_failure_text(b->exchange.failure);
        return b->told || (b->missing && !b->bare) ? NULL : UNPROVED;
}

static void note_health(struct pg_batch *b)
{
        struct pg_source *source = b->in.port->source;

        if (b->told && b->meta.epoch != 0)
                atomic_store(&source->last_epoch, b->meta.epoch);
        else if (b->told && MUTANT(FILL_EPOCH_IGNORED))
                b->meta.epoch = atomic_load(&source->last_epoch);
        if (!on_replica(b) && b->exchange.failure != PG_FAILURE_CLOSED && !b->spoilt)
                atomic_store(&source->problem, problem_of(b));
}

/* The database may be at work on the next while the answers are made. */
static void let_next_go(struct pg_batch *b)
{
        struct pg_way_out *way = b->in.way;

        b->in.way = NULL;
        if (way != NULL)
                pg_way_returned(way);
}

static void on_done(struct pg_exchange *exchange)
{
        struct pg_batch *b = exchange->context;
        const enum err rc = outcome(b);

        note_health(b);
        if (b->missing && !b->bare)
                set_bare(b->in.port->source);
        let_next_go(b);
        if (exchange->status == OK && !b->again &&
                (exchange->stale_plan || (b->missing && !b->bare) || (!on_replica(b) && moved(b)))) {
                b->again = true;
                run_again(b);
        } else if (exchange->status == OK && b->spoilt && b->told)
                run_apart(b);
        else if (on_replica(b) && (rc != OK || b->meta.epoch == 0))
                leave_replica(b);
        else if (b->in.errand == PG_ERRAND_CHECK && rc == ERR_UNAVAILABLE && exchange->status == OK)
                pass_on(b, PG_ERRAND_FETCH);
        else if (rc != OK)
                fail(b, rc, problem_of(b));
        else if (b->in.errand == PG_ERRAND_CHECK)
                end_check(b);
        else
                end_fetch(b);
}

/* ---- beginning ---- */

bool pg_batch_start(const struct pg_errand_in *in, struct list *reads)
{
        struct pg_batch *b = vc_calloc(1, sizeof(*b));
        enum err rc;

        if (b == NULL) {
                fail_all(reads, ERR_NOMEM, err_text(ERR_NOMEM));
                return false;
        }
        b->in = *in;
        list_init(&b->reads);
        move_all(&b->reads, reads);
        VC_ASSERT(list_count(&b->reads) <= PG_BATCH_READS_MAX);
        rc = run(b);
        if (rc != OK)
                give_up(b, rc);
        return rc == OK;
}
