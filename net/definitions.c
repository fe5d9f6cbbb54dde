#include "net/definitions.h"

#include "base/log.h"
#include "base/mem.h"
#include "database/pg_check.h"

#include <errno.h>
#include <pthread.h>

enum { RETRY_MS = 1000 };

struct definitions {
        struct definitions_config config;
        pthread_t thread;
        bool running;
        pthread_mutex_t lock; /* lock class "definitions": a leaf */
        pthread_cond_t changed;
        bool stopping;
        struct truth_postgres *truth;
        uint64_t wanted; /* the newest round that was asked for; 0: none */
        uint64_t done;
};

/* ---- one check ---- */

static enum err ask(const struct definitions *d, struct pg_check **out, struct err_msg *msg)
{
        const struct pg_hosts as_the_dsn_says = {NULL, 0};
        struct pg_server_words words;
        PGconn *conn;
        enum err rc = pg_server_words_init(&words, d->config.server, &as_the_dsn_says, 0);

        *out = NULL;
        if (rc != OK)
                return rc;
        conn = PQconnectdbParams(words.keywords, words.values, 0);
        pg_server_words_deinit(&words);
        if (conn == NULL)
                return ERR_NOMEM;
        rc = ERR_UNAVAILABLE;
        if (PQstatus(conn) == CONNECTION_OK)
                rc = pg_check_run(out, conn, d->config.types, PG_CHECK_INSTALLED, msg);
        PQfinish(conn);
        return rc;
}

/* The texts quote the configuration and names of the schema; there are no data in them. */
static void tell(const struct pg_check *check)
{
        for (uint32_t i = 0; i < pg_check_problem_count(check); i++) {
                const struct pg_check_problem *p = pg_check_problem_at(check, i);

                LOG_WARNING("definition", LOG_PATH("place", p->place), LOG_PATH("problem", p->text));
        }
}

static enum err take_over(const struct definitions *d, const struct pg_check *check)
{
        const uint32_t count = record_types_count(d->config.types);
        struct pg_type_state *states = vc_calloc(count, sizeof(*states));

        if (states == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < count; i++) {
                const struct pg_check_type *type = pg_check_type(check, i);

                states[i] = (struct pg_type_state){.uncacheable = !type->cacheable,
                        .binary_results = type->binary_results,
                        .key_type = type->key_type};
        }
        pg_source_set_states(d->config.source, states, count);
        vc_free(states);
        return OK;
}

/* OK: the source knows what may be cached. ERR_CONFIG: it does, and a definition is wrong. */
static enum err check_once(const struct definitions *d, struct err_msg *msg)
{
        struct pg_check *check;
        enum err rc = ask(d, &check, msg);

        if (rc == OK) {
                tell(check);
                rc = take_over(d, check);
        }
        if (rc == OK)
                rc = pg_check_verdict(check, msg);
        pg_check_destroy(&check);
        return rc;
}

/* ---- the thread; with the lock held but while it checks ---- */

static void pause_a_moment(struct definitions *d)
{
        const int64_t end = clock_wall().ms + RETRY_MS;
        const struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * NANOS_PER_MS};

        while (!d->stopping && pthread_cond_timedwait(&d->changed, &d->lock, &until) != ETIMEDOUT)
                continue;
}

static void do_round(struct definitions *d)
{
        const uint64_t round = d->wanted;
        struct truth_postgres *truth = d->truth;
        struct err_msg msg = {""};
        enum err rc;

        (void)pthread_mutex_unlock(&d->lock);
        rc = check_once(d, &msg);
        (void)pthread_mutex_lock(&d->lock);
        if (rc != OK && rc != ERR_CONFIG) {
                pause_a_moment(d);
                return;
        }
        d->done = round;
        if (!d->stopping)
                truth_postgres_checked(truth, round, NULL, 0);
}

static void *run(void *arg)
{
        struct definitions *d = arg;

        (void)pthread_mutex_lock(&d->lock);
        while (!d->stopping) {
                if (d->wanted == d->done)
                        (void)pthread_cond_wait(&d->changed, &d->lock);
                else
                        do_round(d);
        }
        (void)pthread_mutex_unlock(&d->lock);
        return NULL;
}

/* ---- life ---- */

enum err definitions_start(struct definitions **out, const struct definitions_config *config, struct err_msg *msg)
{
        struct definitions *d = vc_calloc(1, sizeof(*d));
        enum err rc;

        *out = NULL;
        if (d == NULL)
                return err_set(msg, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
        d->config = *config;
        (void)pthread_mutex_init(&d->lock, NULL);
        (void)pthread_cond_init(&d->changed, NULL);
        rc = check_once(d, msg);
        if (rc != ERR_CONFIG) {
                d->running = pthread_create(&d->thread, NULL, run, d) == 0;
                rc = d->running ? OK : err_set(msg, ERR_IO, "cannot start the thread that checks definitions");
        }
        if (rc != OK)
                definitions_destroy(&d);
        *out = d;
        return rc;
}

void definitions_check(struct definitions *d, struct truth_postgres *truth, uint64_t round)
{
        (void)pthread_mutex_lock(&d->lock);
        d->truth = truth;
        d->wanted = round;
        (void)pthread_cond_signal(&d->changed);
        (void)pthread_mutex_unlock(&d->lock);
}

void definitions_stop(struct definitions *d)
{
        if (d == NULL || !d->running)
                return;
        (void)pthread_mutex_lock(&d->lock);
        d->stopping = true;
        (void)pthread_cond_signal(&d->changed);
        (void)pthread_mutex_unlock(&d->lock);
        (void)pthread_join(d->thread, NULL);
        d->running = false;
}

void definitions_destroy(struct definitions **definitions)
{
        struct definitions *d = *definitions;

        *definitions = NULL;
        if (d == NULL)
                return;
        definitions_stop(d);
        (void)pthread_cond_destroy(&d->changed);
        (void)pthread_mutex_destroy(&d->lock);
        vc_free(d);
}
