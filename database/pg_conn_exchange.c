#include "database/pg_conn_parts.h"

#include "base/log.h"
#include "base/mem.h"
#include "monitoring/counters.h"

#include <stdio.h>
#include <string.h>

/* ---- sending ---- */

enum { NAME_SIZE = 16 };

static void name_of(uint32_t number, char *name)
{
        snprintf(name, NAME_SIZE, "vc%u", number);
}

static void owe(struct pg_conn *conn, enum pg_reply_kind kind, uint32_t step, struct pg_use use)
{
        conn->replies[conn->reply_count++] = (struct pg_reply){kind, step, use};
}

/* Room for the plan of `steps` steps: each owes at most a preparation, a result and a Sync; and DEALLOCATEs are never
 * more than two tables' worth. */
static bool make_room(struct pg_conn *conn, uint32_t steps)
{
        size_t most = (size_t)steps * 3 + (size_t)conn->config.server->prepared_max * 2 + 2;
        struct pg_use *uses;
        struct pg_reply *replies;

        if (steps <= conn->capacity)
                return true;
        uses = vc_realloc(conn->uses, steps * sizeof *uses);
        if (uses != NULL)
                conn->uses = uses;
        replies = vc_realloc(conn->replies, most * sizeof *replies);
        if (replies != NULL)
                conn->replies = replies;
        if (uses == NULL || replies == NULL)
                return false;
        conn->capacity = steps;
        return true;
}

static bool is_last_of_stretch(const struct pg_exchange *exchange, uint32_t step)
{
        return exchange->steps[step].sync_after || step + 1 == exchange->step_count;
}

static void plan(struct pg_conn *conn, const struct pg_exchange *exchange)
{
        bool prepares = conn->config.server->prepared;
        uint32_t stretch = 0;

        pg_statements_begin(conn->statements);
        for (uint32_t i = 0; i < exchange->step_count; i++) {
                const struct pg_statement *statement = exchange->steps[i].statement;

                conn->uses[i] = (struct pg_use){PG_USE_UNNAMED, 0};
                if (prepares && !statement->once)
                        conn->uses[i] = pg_statements_use(conn->statements, statement->id, stretch);
                stretch += is_last_of_stretch(exchange, i);
        }
}

/* `step` is the one before it. */
static bool send_sync(struct pg_conn *conn, uint32_t step)
{
        owe(conn, PG_REPLY_SYNC, step, (struct pg_use){PG_USE_UNNAMED, 0});
        return PQpipelineSync(conn->pg) == 1;
}

/* Before the exchange's own statements and behind a Sync, so that neither can fail the other. */
static bool send_deallocations(struct pg_conn *conn)
{
        uint32_t number = pg_statements_evicted(conn->statements);
        bool sync = number != 0;

        for (; number != 0; number = pg_statements_evicted(conn->statements)) {
                char name[NAME_SIZE], sql[NAME_SIZE + 16];

                name_of(number, name);
                snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
                if (PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) != 1)
                        return false;
                owe(conn, PG_REPLY_DEALLOCATED, 0, (struct pg_use){PG_USE_UNNAMED, 0});
        }
        return !sync || send_sync(conn, 0);
}

static bool send_step(struct pg_conn *conn, uint32_t number)
{
        const struct pg_step *step = &conn->exchange->steps[number];
        const struct pg_statement *statement = step->statement;
        struct pg_use use = conn->uses[number];
        char name[NAME_SIZE];
        int sent;

        name_of(use.number, name);
        if (use.kind == PG_USE_PREPARE) {
                if (PQsendPrepare(conn->pg, name, statement->sql, 0, NULL) != 1)
                        return false;
                owe(conn, PG_REPLY_PREPARED, number, use);
                counter_add(COUNTER_pg_prepares, 1);
        }
        if (use.kind == PG_USE_UNNAMED)
                sent = PQsendQueryParams(conn->pg, statement->sql, step->value_count, NULL, step->values, step->lengths,
                        step->formats, statement->binary_results);
        else
                sent = PQsendQueryPrepared(conn->pg, name, step->value_count, step->values, step->lengths,
                        step->formats, statement->binary_results);
        owe(conn, PG_REPLY_RESULT, number, use);
        if (sent != 1)
                return false;
        return !is_last_of_stretch(conn->exchange, number) || send_sync(conn, number);
}

bool pg_conn_send(struct pg_conn *conn)
{
        struct pg_exchange *exchange = conn->exchange;

        if (!make_room(conn, exchange->step_count)) {
                exchange->failure = PG_FAILURE_MEMORY;
                return false;
        }
        plan(conn, exchange);
        conn->sent = true;
        if (!send_deallocations(conn))
                return false;
        for (uint32_t i = 0; i < exchange->step_count; i++)
                if (!send_step(conn, i))
                        return false;
        return true;
}

/* ---- receiving ---- */

void pg_conn_forget_replies(struct pg_conn *conn)
{
        PQclear(conn->unprepared);
        conn->unprepared = NULL;
        conn->reply_count = conn->reply_next = 0;
        conn->reply_seen = false;
        conn->sent = false;
}

/* An ERROR is the statement's affair. FATAL, PANIC and what libpq says itself when the connection breaks (without an
 * SQLSTATE) are the connection's. */
static bool ends_session(struct pg_conn *conn, const PGresult *result)
{
        const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
        char sqlstate[6];

        if (PQresultStatus(result) != PGRES_FATAL_ERROR)
                return false;
        pg_sqlstate(result, sqlstate);
        if (sqlstate[0] != '\0' && severity != NULL && strcmp(severity, "ERROR") == 0)
                return false;
        memcpy(conn->last_sqlstate, sqlstate, sizeof sqlstate);
        return true;
}

/* A plan that was made before the schema changed ("cached plan must not change result type"), or a statement that the
 * session no longer has (DISCARD ALL by somebody's pooler). */
static bool plan_is_stale(struct pg_use use, const char *sqlstate)
{
        return use.kind == PG_USE_PREPARED && (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0);
}

/* Of a parameter, perhaps, whose type is that of a column which has become wider since: it is prepared anew. */
static const char NUMBER_OUT_OF_RANGE[] = "22003";

/* Of a statement that failed before it in the same transaction: the cause has been told. */
static bool is_consequence(const char *sqlstate)
{
        return strcmp(sqlstate, "25P02") == 0 || strcmp(sqlstate, "3B001") == 0; /* aborted; no such savepoint */
}

static void note_error(struct pg_conn *conn, const struct pg_reply *reply, const PGresult *result)
{
        struct pg_exchange *exchange = conn->exchange;
        char sqlstate[6];

        if (PQresultStatus(result) != PGRES_FATAL_ERROR)
                return;
        pg_sqlstate(result, sqlstate);
        if (exchange->sqlstate[0] == '\0')
                memcpy(exchange->sqlstate, sqlstate, sizeof sqlstate);
        if (plan_is_stale(reply->use, sqlstate)) {
                pg_statements_forget(conn->statements, reply->use.number, true);
                exchange->stale_plan = true;
        }
        if (reply->use.kind == PG_USE_PREPARED && strcmp(sqlstate, NUMBER_OUT_OF_RANGE) == 0)
                pg_statements_forget(conn->statements, reply->use.number, true);
        counter_add(COUNTER_pg_statement_errors, 1);
        if (exchange->quiet || is_consequence(sqlstate))
                return;
        LOG_WARNING("postgres_statement_failed", LOG_WORD("server", conn->config.server->name),
                LOG_WORD("statement", exchange->steps[reply->step].statement->label), LOG_WORD("sqlstate", sqlstate));
}

/* The step's one result: why it could not be prepared, if so, else what it gave. */
static void hand_over(struct pg_conn *conn, const struct pg_reply *reply, const PGresult *result)
{
        struct pg_exchange *exchange = conn->exchange;
        PGresult *unprepared = conn->unprepared;

        conn->unprepared = NULL;
        if (unprepared != NULL)
                result = unprepared;
        note_error(conn, reply, result);
        exchange->results++;
        if (exchange->result != NULL)
                exchange->result(exchange, reply->step, result);
        PQclear(unprepared);
}

/* Takes ownership of the result. */
static void take_prepared(struct pg_conn *conn, const struct pg_reply *reply, PGresult *result)
{
        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
                pg_statements_confirm(conn->statements, reply->use.number);
        } else {
                pg_statements_forget(conn->statements, reply->use.number, false);
                if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
                        conn->unprepared = result;
                        return;
                }
        }
        PQclear(result);
}

static bool is_expected(enum pg_reply_kind kind, ExecStatusType status)
{
        if (kind == PG_REPLY_SYNC)
                return status == PGRES_PIPELINE_SYNC || status == PGRES_FATAL_ERROR;
        return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY ||
               status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED;
}

/* One thing that PQgetResult gave: a result (taken over), or the NULL that ends a statement's results. A Sync gives one
 * result and no NULL; but when the commit that it stands for fails (statements without BEGIN), an error and a NULL come
 * before. */
static bool take(struct pg_conn *conn, PGresult *result)
{
        const struct pg_reply *reply = &conn->replies[conn->reply_next];
        bool sync = reply->kind == PG_REPLY_SYNC;

        if (result == NULL) {
                bool ended = conn->reply_seen;

                conn->reply_seen = false;
                conn->reply_next += ended && !sync;
                return ended;
        }
        if (conn->reply_seen || ends_session(conn, result) || !is_expected(reply->kind, PQresultStatus(result))) {
                PQclear(result);
                return false;
        }
        conn->reply_seen = PQresultStatus(result) != PGRES_PIPELINE_SYNC;
        conn->reply_next += !conn->reply_seen;
        if (reply->kind == PG_REPLY_PREPARED) {
                take_prepared(conn, reply, result);
                return true;
        }
        if (reply->kind == PG_REPLY_RESULT)
                hand_over(conn, reply, result);
        else if (sync)
                note_error(conn, reply, result);
        PQclear(result);
        return true;
}

bool pg_conn_receive(struct pg_conn *conn)
{
        while (!pg_conn_received_all(conn) && !PQisBusy(conn->pg))
                if (!take(conn, PQgetResult(conn->pg)))
                        return false;
        return PQstatus(conn->pg) == CONNECTION_OK;
}
