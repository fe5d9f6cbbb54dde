/* pg_drive: a pool of PostgreSQL connections on an event loop, driven by lines, for tests/integration/pg_pool_test.py.
 *
 *      pg_drive name=value...      dsn, greeting, search_path; size, acquire, connect, statement (ms), prepared,
 *                                  prepared_max, session
 * stdin: one command a line, its fields parted by tabs
 *      run <name> <deadline ms> <flags> <sql> <sql>...  flags: r repeatable, s a Sync after each, b binary, o once,
 *                                                       or -; an SQL field goes on with its values, each after a 0x1f
 *      state                                            the pool's state and the counters
 * stdout: ready | opened | lost <sqlstate> <text> | notify <channel> <payload> | notice <name> <sqlstate>
 *      result <name> <step> <status> <sqlstate> <rows> <first value>
 *      done <name> <status> <failure> <sqlstate> <unknown> <stale> <ms>
 * At the end of stdin it closes all. Fields are parted by tabs. */
#include "base/hash.h"
#include "base/mem.h"
#include "database/pg_pool.h"
#include "monitoring/counters.h"
#include "tests/lib/test.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEPS_MAX = 400, VALUES_MAX = 8, LINE_MAX_SIZE = 1 << 24 };

struct drive {
        struct event_base *base;
        struct pg_pool *pool;
        struct pg_server server;
        struct pg_pool_config config;
        char line[LINE_MAX_SIZE];
        size_t used;
};

struct job {
        struct pg_exchange exchange;
        struct pg_step steps[STEPS_MAX];
        struct pg_statement statements[STEPS_MAX];
        const char *values[STEPS_MAX][VALUES_MAX];
        struct nanos begun;
        char *text;
        const char *name;
};

static struct job *job_of(struct pg_exchange *exchange)
{
        return exchange->context;
}

static void on_result(struct pg_exchange *exchange, uint32_t step, const PGresult *result)
{
        char sqlstate[6];
        bool value = PQntuples(result) > 0 && PQnfields(result) > 0 && PQfformat(result, 0) == 0;

        pg_sqlstate(result, sqlstate);
        printf("result\t%s\t%u\t%s\t%s\t%d\t%s\n", job_of(exchange)->name, step, PQresStatus(PQresultStatus(result)),
                sqlstate, PQntuples(result), value ? PQgetvalue(result, 0, 0) : "");
}

static void on_notice(struct pg_exchange *exchange, const PGresult *notice)
{
        char sqlstate[6];

        pg_sqlstate(notice, sqlstate);
        printf("notice\t%s\t%s\n", job_of(exchange)->name, sqlstate);
}

static void on_done(struct pg_exchange *exchange)
{
        struct job *job = job_of(exchange);

        printf("done\t%s\t%s\t%s\t%s\t%d\t%d\t%lld\n", job->name, err_name(exchange->status),
                pg_failure_name(exchange->failure), exchange->sqlstate, exchange->outcome_unknown, exchange->stale_plan,
                (long long)nanos_to_ms(nanos_sub(clock_boot(), job->begun)));
        vc_free(job->text);
        vc_free(job);
}

static void on_opened(void *context)
{
        (void)context;
        printf("opened\n");
}

static void on_lost(void *context, const struct pg_trouble *trouble)
{
        (void)context;
        printf("lost\t%s\t%s\n", trouble->sqlstate, trouble->text);
}

static void on_notify(void *context, const char *channel, const char *payload)
{
        (void)context;
        printf("notify\t%s\t%s\n", channel, payload);
}

/* ---- commands ---- */

static void add_step(struct job *job, char *field, const char *flags)
{
        uint32_t number = job->exchange.step_count++;
        struct pg_step *step = &job->steps[number];
        char *rest = field, *sql = strsep(&rest, "\x1f");

        if (number >= STEPS_MAX)
                abort();
        pg_statement_init(&job->statements[number], sql, "test");
        job->statements[number].once = strchr(flags, 'o') != NULL;
        job->statements[number].binary_results = strchr(flags, 'b') != NULL;
        step->statement = &job->statements[number];
        step->sync_after = strchr(flags, 's') != NULL;
        step->values = job->values[number];
        while (rest != NULL && step->value_count < VALUES_MAX)
                job->values[number][step->value_count++] = strsep(&rest, "\x1f");
}

static void run(struct drive *drive, const char *line)
{
        struct job *job = vc_calloc(1, sizeof *job);
        char *rest, *field;
        const char *flags;

        if (job == NULL || (job->text = vc_strdup(line)) == NULL)
                abort();
        rest = job->text;
        job->name = strsep(&rest, "\t");
        job->begun = clock_boot();
        job->exchange = (struct pg_exchange){
                .steps = job->steps, .result = on_result, .notice = on_notice, .done = on_done, .context = job};
        job->exchange.deadline = nanos_add(job->begun, nanos_ms(atoll(strsep(&rest, "\t"))));
        flags = strsep(&rest, "\t");
        job->exchange.repeatable = strchr(flags, 'r') != NULL;
        while ((field = strsep(&rest, "\t")) != NULL)
                add_step(job, field, flags);
        pg_pool_run(drive->pool, &job->exchange);
}

static void tell_state(struct drive *drive)
{
        struct pg_pool_state state = pg_pool_state(drive->pool);

        printf("state\topen=%u\tbusy=%u\twaiting=%u\tfailures=%u", state.open, state.busy, state.waiting,
                state.failures);
        for (enum counter i = 0; i < COUNTER_COUNT_; i++)
                if (strncmp(counter_row(i)->name, "pg_", 3) == 0)
                        printf("\t%s=%llu", counter_row(i)->name, (unsigned long long)counter_read(i));
        printf("\n");
}

static void obey(struct drive *drive, const char *line)
{
        if (strncmp(line, "run\t", 4) == 0)
                run(drive, line + 4);
        else if (strcmp(line, "state") == 0)
                tell_state(drive);
        else
                abort();
}

static void on_input(evutil_socket_t fd, short what, void *argument)
{
        struct drive *drive = argument;
        ssize_t got = read(fd, drive->line + drive->used, sizeof drive->line - drive->used);
        char *end;

        (void)what;
        if (got <= 0) {
                event_base_loopbreak(drive->base);
                return;
        }
        drive->used += (size_t)got;
        while ((end = memchr(drive->line, '\n', drive->used)) != NULL) {
                size_t length = (size_t)(end - drive->line) + 1;

                *end = '\0';
                obey(drive, drive->line);
                drive->used -= length;
                memmove(drive->line, drive->line + length, drive->used);
        }
}

/* ---- start ---- */

static void set(struct drive *drive, const char *name, const char *value)
{
        const struct {
                const char *name;
                const char **text;
                struct nanos *span;
        } settings[] = {{"dsn", &drive->server.dsn, NULL}, {"greeting", &drive->config.greeting, NULL},
                {"search_path", &drive->server.search_path, NULL}, {"acquire", NULL, &drive->config.acquire_timeout},
                {"connect", NULL, &drive->server.connect_timeout},
                {"statement", NULL, &drive->server.statement_timeout}};

        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
                if (strcmp(name, settings[i].name) != 0)
                        continue;
                if (settings[i].text != NULL)
                        *settings[i].text = value;
                else
                        *settings[i].span = nanos_ms(atoll(value));
                return;
        }
        if (strcmp(name, "size") == 0)
                drive->config.size = (uint32_t)atoll(value);
        else if (strcmp(name, "prepared") == 0)
                drive->server.prepared = value[0] == '1';
        else if (strcmp(name, "prepared_max") == 0)
                drive->server.prepared_max = (uint32_t)atoll(value);
        else if (strcmp(name, "session") == 0)
                drive->server.session_settings = value[0] == '1';
        else
                abort();
}

int main(int argc, char **argv)
{
        static struct drive drive;
        struct event *input;

        drive.server = (struct pg_server){"test", "", nanos_ms(5000), nanos_ms(5000), NULL, true, 8, true};
        drive.config = (struct pg_pool_config){.server = &drive.server,
                .size = 2,
                .now = clock_boot,
                .acquire_timeout = nanos_ms(1000),
                .opened = on_opened,
                .lost = on_lost,
                .notify = on_notify};
        for (int i = 1; i < argc; i++) {
                char *value = argv[i], *name = strsep(&value, "=");

                set(&drive, name, value);
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        drive.base = drive.config.base = event_base_new();
        if (drive.base == NULL || random_bytes(&drive.config.seed, sizeof drive.config.seed) != OK ||
                pg_pool_create(&drive.pool, &drive.config) != OK)
                abort();
        input = event_new(drive.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &drive);
        event_add(input, NULL);
        printf("ready\n");
        event_base_dispatch(drive.base);
        pg_pool_destroy(&drive.pool);
        event_free(input);
        event_base_free(drive.base);
        return 0;
}
