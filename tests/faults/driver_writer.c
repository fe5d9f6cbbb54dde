/* A writer: transactions on its own keys, one after the other, and what became of each. The order of a key's commits is
 * known because nobody else writes it, and because nothing more is written to it until the outcome is known: who has
 * lost the connection in COMMIT asks the database, by a lock that every write takes first, so that a commit still under
 * way is waited for. */
#include "tests/faults/driver.h"

#include "base/hash.h"
#include "base/mem.h"

#include <libpq-fe.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS_MAX = BULK_KEYS * 12, STATEMENT_MAX = 4096 };

struct write {
        uint32_t keys[BULK_KEYS];
        unsigned count;
        struct shown target;
        char ids[IDS_MAX]; /* 1,2,3 */
        int64_t begin;
};

enum result {
        DONE,
        REFUSED, /* nothing has happened */
        LOST     /* nobody answered */
};

unsigned writer_of(const struct driver_options *o, uint32_t key)
{
        return (key - 1) % o->writers;
}

/* ---- SQL ---- */

/* Keeps a token that the statement has returned. */
static void notice_token(struct writer *w, PGresult *result)
{
        if (PQntuples(result) == 1 && PQnfields(result) == 1 && strncmp(PQgetvalue(result, 0, 0), "v1-", 3) == 0)
                (void)snprintf(w->token, sizeof w->token, "%s", PQgetvalue(result, 0, 0));
}

static enum result run(struct writer *w, const char *sql)
{
        PGresult *result = PQexec(w->connection, sql);
        ExecStatusType status = PQresultStatus(result);
        enum result found = DONE;

        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN)
                found = PQstatus(w->connection) == CONNECTION_OK ? REFUSED : LOST;
        else if (strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
                found = REFUSED;
        else
                notice_token(w, result);
        PQclear(result);
        return found;
}

static enum result __attribute__((format(printf, 2, 3))) runf(struct writer *w, const char *format, ...)
{
        char sql[STATEMENT_MAX];
        va_list values;
        int len;

        va_start(values, format);
        len = vsnprintf(sql, sizeof sql, format, values);
        va_end(values);
        if (len < 0 || (size_t)len >= sizeof sql)
                driver_fail("a statement is too long", format);
        return run(w, sql);
}

/* Statements of a mode: {writer} is replaced. */
static enum result run_mode(struct writer *w, const char *sql)
{
        char text[SQL_MAX * 2];
        size_t used = 0;

        if (sql[0] == 0)
                return DONE;
        for (const char *at = sql; *at != 0 && used < sizeof text - 12;) {
                if (strncmp(at, "{writer}", 8) == 0) {
                        used += (size_t)snprintf(text + used, 12, "%u", w->number);
                        at += 8;
                } else {
                        text[used++] = *at++;
                }
        }
        text[used] = 0;
        return run(w, text);
}

/* ---- the changes ---- */

static enum result insert_rows(struct writer *w, const struct write *write)
{
        return runf(w,
                "INSERT INTO allergies (student_id, n, version) SELECT i, n, %" PRIu64
                " FROM unnest('{%s}'::bigint[]) i, "
                "generate_series(1, 2) n; "
                "INSERT INTO conditions (student_id, version) SELECT i, %" PRIu64 " FROM unnest('{%s}'::bigint[]) i",
                write->target.version, write->ids, write->target.version, write->ids);
}

static enum result copy_rows(struct writer *w, const struct write *write)
{
        char line[64];
        PGresult *result;
        enum result found = run(w, "COPY allergies (student_id, n, version) FROM STDIN");

        for (unsigned i = 0; found == DONE && i < write->count * 2; i++) {
                int len = snprintf(line, sizeof line, "%u\t%u\t%" PRIu64 "\n", write->keys[i / 2], i % 2 + 1,
                        write->target.version);

                if (PQputCopyData(w->connection, line, len) != 1)
                        found = LOST;
        }
        if (found != DONE || PQputCopyEnd(w->connection, NULL) != 1)
                return found == DONE ? LOST : found;
        while ((result = PQgetResult(w->connection)) != NULL) {
                if (PQresultStatus(result) != PGRES_COMMAND_OK)
                        found = PQstatus(w->connection) == CONNECTION_OK ? REFUSED : LOST;
                PQclear(result);
        }
        if (found != DONE)
                return found;
        return runf(w,
                "INSERT INTO conditions (student_id, version) SELECT i, %" PRIu64 " FROM unnest('{%s}'::bigint[]) i",
                write->target.version, write->ids);
}

static enum result change(struct writer *w, const struct write *write, bool bulk)
{
        bool had_rows = w->last[write->keys[0]].shown.kind == SHOWN_ROWS;
        enum result found;

        if (write->target.kind == SHOWN_NOBODY)
                return runf(w, "DELETE FROM students WHERE id = ANY ('{%s}')", write->ids);
        if (write->target.kind == SHOWN_ROWS && had_rows && !bulk)
                return runf(w,
                        "UPDATE allergies SET version = %" PRIu64 " WHERE student_id = ANY ('{%s}'); "
                        "UPDATE conditions SET version = %" PRIu64 " WHERE student_id = ANY ('{%s}')",
                        write->target.version, write->ids, write->target.version, write->ids);
        found = runf(w,
                "INSERT INTO students (id) SELECT i FROM unnest('{%s}'::bigint[]) i ON CONFLICT (id) DO NOTHING; "
                "DELETE FROM allergies WHERE student_id = ANY ('{%s}'); "
                "DELETE FROM conditions WHERE student_id = ANY ('{%s}')",
                write->ids, write->ids, write->ids);
        if (found != DONE || write->target.kind == SHOWN_NONE)
                return found;
        return bulk ? copy_rows(w, write) : insert_rows(w, write);
}

/* ---- the history ---- */

static void tell(struct writer *w, uint32_t key, struct step step)
{
        if (w->step_count == w->step_room) {
                size_t room = w->step_room == 0 ? 1024 : w->step_room * 2;
                struct told_step *larger = vc_realloc(w->steps, room * sizeof *larger);

                if (larger == NULL)
                        driver_fail("no memory", "steps");
                w->steps = larger;
                w->step_room = room;
        }
        w->steps[w->step_count++] = (struct told_step){key, step};
        if (step.outcome != ABORTED)
                w->last[key] = step;
        else
                w->last[key].begin = step.begin;
}

static void tell_all(struct writer *w, const struct write *write, enum outcome outcome)
{
        int64_t now = driver_now();

        for (unsigned i = 0; i < write->count; i++)
                tell(w, write->keys[i],
                        (struct step){write->target, write->begin, outcome == COMMITTED ? now : NEVER, outcome, false});
}

static void publish_token(struct writer *w, const struct write *write)
{
        struct shared *s = w->shared;

        atomic_fetch_add(&s->commits, 1);
        if (w->token[0] == 0)
                return;
        (void)pthread_mutex_lock(&s->lock);
        s->tokens[w->number].key = write->keys[0];
        s->tokens[w->number].version = write->target.version;
        (void)snprintf(s->tokens[w->number].text, TOKEN_MAX, "%s", w->token);
        (void)pthread_mutex_unlock(&s->lock);
}

/* ---- connections ---- */

static bool connected(void **connection, const char *dsn)
{
        if (*connection != NULL && PQstatus(*connection) == CONNECTION_OK)
                return true;
        PQfinish(*connection);
        *connection = PQconnectdb(dsn);
        if (PQstatus(*connection) != CONNECTION_OK)
                return false;
        PQclear(PQexec(*connection, "SET client_min_messages = error; SET lock_timeout = '2s'"));
        return true;
}

static const char *own_dsn(const struct writer *w)
{
        const struct driver_options *o = w->shared->options;

        return o->writer_dsns[w->number % o->writer_dsn_count];
}

/* ---- what the database holds ---- */

static struct shown held(PGresult *rows, int row)
{
        if (PQgetisnull(rows, row, 1))
                return (struct shown){SHOWN_NOBODY, 0};
        if (PQgetisnull(rows, row, 2))
                return (struct shown){SHOWN_NONE, 0};
        return (struct shown){SHOWN_ROWS, strtoull(PQgetvalue(rows, row, 2), NULL, 10)};
}

/* The state of these students once no write of them is under way: every write takes their locks first. NULL: it could
 * not be asked. */
static PGresult *ask(struct writer *w, const char *ids)
{
        char sql[STATEMENT_MAX];
        PGresult *rows;

        if (!connected(&w->admin, w->shared->options->admin_dsn))
                return NULL;
        (void)snprintf(sql, sizeof sql, "BEGIN; SELECT pg_advisory_xact_lock(i) FROM unnest('{%s}'::bigint[]) i", ids);
        rows = PQexec(w->admin, sql);
        if (PQresultStatus(rows) == PGRES_TUPLES_OK) {
                PQclear(rows);
                (void)snprintf(sql, sizeof sql,
                        "SELECT i, s.id, (SELECT max(version) FROM allergies a WHERE a.student_id = i) "
                        "FROM unnest('{%s}'::bigint[]) i LEFT JOIN students s ON s.id = i",
                        ids);
                rows = PQexec(w->admin, sql);
        }
        PQclear(PQexec(w->admin, "ROLLBACK"));
        if (PQresultStatus(rows) == PGRES_TUPLES_OK)
                return rows;
        PQclear(rows);
        return NULL;
}

static PGresult *ask_until_known(struct writer *w, const char *ids)
{
        PGresult *rows = NULL;

        while (rows == NULL && !atomic_load(&w->shared->stopping)) {
                rows = ask(w, ids);
                if (rows == NULL)
                        driver_pause(50);
        }
        return rows;
}

static int64_t later(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

/* Whether this is what was written. Only rows tell their version; nobody writes twice in a row that there are none. */
static bool same(struct shown held_now, struct shown written)
{
        return held_now.kind == written.kind && (written.kind != SHOWN_ROWS || held_now.version == written.version);
}

/* What differs from the history was lost (`reverted`), or others have written it. */
static void compare(struct writer *w, PGresult *rows, bool reverted)
{
        int64_t now = driver_now(), crash = atomic_load(&w->shared->crash_at);

        for (int i = 0; i < PQntuples(rows); i++) {
                uint32_t key = (uint32_t)strtoul(PQgetvalue(rows, i, 0), NULL, 10);
                const struct step *last = &w->last[key];
                struct shown shown = held(rows, i);

                if (shown.version > w->version)
                        w->version = shown.version;
                if (same(shown, last->shown))
                        continue;
                tell(w, key, (struct step){shown, later(last->begin, crash), now, COMMITTED, reverted});
        }
}

static void reread(struct writer *w, bool reverted)
{
        const struct driver_options *o = w->shared->options;
        struct write all = {.count = 0};
        size_t used = 0;

        for (uint32_t key = 1; key <= o->keys; key++) {
                if (writer_of(o, key) == w->number) {
                        PGresult *rows;

                        used += (size_t)snprintf(
                                all.ids + used, sizeof all.ids - used, "%s%u", used > 0 ? "," : "", key);
                        if (++all.count < BULK_KEYS && key + o->writers <= o->keys)
                                continue;
                        rows = ask_until_known(w, all.ids);
                        if (rows != NULL)
                                compare(w, rows, reverted);
                        PQclear(rows);
                        used = 0;
                        all.count = 0;
                }
        }
}

/* The connection broke in COMMIT. */
static void resolve(struct writer *w, const struct write *write)
{
        PGresult *rows;
        bool there;

        atomic_fetch_add(&w->shared->unknowns, 1);
        rows = ask_until_known(w, write->ids);
        if (rows == NULL || w->shared->options->lossy) {
                tell_all(w, write, UNKNOWN);
                if (rows != NULL)
                        compare(w, rows, true);
                PQclear(rows);
                return;
        }
        there = same(held(rows, 0), write->target);
        PQclear(rows);
        tell_all(w, write, there ? COMMITTED : ABORTED);
}

/* ---- one write ---- */

static void choose(struct writer *w, struct write *write, bool bulk)
{
        const struct driver_options *o = w->shared->options;
        uint32_t own = (o->keys - w->number + o->writers - 1) / o->writers;
        size_t used = 0;
        uint64_t dice = random_next(&w->seed) % 16;

        write->count = bulk ? (own < BULK_KEYS ? own : BULK_KEYS) : 1;
        write->target = (struct shown){SHOWN_ROWS, ++w->version};
        if (!bulk && dice < 2)
                write->target.kind = dice == 0 ? SHOWN_NONE : SHOWN_NOBODY;
        for (unsigned i = 0; i < write->count; i++) {
                uint32_t nth = bulk ? i : (uint32_t)(random_next(&w->seed) % own);

                write->keys[i] = nth * o->writers + w->number + 1;
                used += (size_t)snprintf(
                        write->ids + used, sizeof write->ids - used, "%s%u", i > 0 ? "," : "", write->keys[i]);
        }
        /* What changes nothing would be no write. */
        if (write->target.kind == w->last[write->keys[0]].shown.kind)
                write->target.kind = SHOWN_ROWS;
}

static enum result changes(struct writer *w, const struct write *write, const struct write_mode *mode)
{
        enum result found = run_mode(w, mode->before);

        if (found == DONE)
                found = runf(w, "SELECT count(pg_advisory_xact_lock(i)) FROM unnest('{%s}'::bigint[]) i", write->ids);
        if (found == DONE)
                found = change(w, write, mode->bulk);
        return found == DONE ? run_mode(w, mode->after) : found;
}

static void write_once(struct writer *w)
{
        struct write_mode mode;
        struct write write;
        enum result found;

        (void)pthread_mutex_lock(&w->shared->lock);
        mode = w->shared->modes[w->number];
        (void)pthread_mutex_unlock(&w->shared->lock);
        choose(w, &write, mode.bulk);
        w->token[0] = 0;
        write.begin = driver_now();
        found = changes(w, &write, &mode);
        if (found != DONE) {
                if (found == REFUSED)
                        (void)run(w, "ROLLBACK");
                /* After a crash the key's next step is what the crash has undone, and that was earlier. */
                if (found == REFUSED || !w->shared->options->lossy)
                        tell_all(w, &write, ABORTED);
                return;
        }
        found = run_mode(w, mode.commit);
        if (found == DONE) {
                tell_all(w, &write, COMMITTED);
                publish_token(w, &write);
        } else if (found == LOST) {
                resolve(w, &write);
        } else {
                tell_all(w, &write, ABORTED);
        }
}

/* ---- the thread ---- */

static void obey(struct writer *w)
{
        struct shared *s = w->shared;
        bool counted = false;

        while (atomic_load(&s->frozen) && !atomic_load(&s->stopping)) {
                if (!counted)
                        atomic_fetch_add(&s->idle, 1);
                counted = true;
                if (w->rereads_seen != atomic_load(&s->reread)) {
                        w->rereads_seen = atomic_load(&s->reread);
                        reread(w, false);
                        atomic_fetch_add(&s->reread_done, 1);
                }
                driver_pause(5);
        }
        if (counted)
                atomic_fetch_sub(&s->idle, 1);
}

void *writer_run(void *writer)
{
        struct writer *w = writer;
        struct shared *s = w->shared;

        reread(w, false);
        atomic_fetch_add(&s->reread_done, 1);
        while (!atomic_load(&s->stopping)) {
                bool fresh = w->connection == NULL || PQstatus(w->connection) != CONNECTION_OK;

                obey(w);
                if (!connected(&w->connection, own_dsn(w))) {
                        driver_pause(50);
                        continue;
                }
                if (fresh && s->options->lossy)
                        reread(w, true);
                write_once(w);
                driver_pause(s->options->write_pause_ms);
        }
        PQfinish(w->connection);
        PQfinish(w->admin);
        return NULL;
}
