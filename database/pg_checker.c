#include "database/pg_checker.h"

#include "base/log.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

enum { MOMENT_MS = 10, RETRY_MOMENTS = 100, FIRST_MOMENTS = 1000 };

struct pg_checker {
        struct pg_checker_config config;
        pthread_t thread;
        pthread_mutex_t lock; /* all below */
        pthread_cond_t changed;
        struct pg_check *found; /* NULL: none yet */
        uint64_t round;         /* asked for last */
        uint64_t asked;         /* how often; 0: never */
        uint64_t answered;      /* which of them a check has succeeded for */
        uint64_t attempted;     /* which of them one was tried for */
        int socket;             /* of the connection in use; -1: none */
        bool stopping;
};

/* ---- the connection ---- */

/* A server that is gone without a word must be noticed, or nothing would be cached for ever: the kernel asks it. */
static PGconn *connect_with(const struct pg_checker *checker, struct pg_server_words *words)
{
        const int64_t seconds = nanos_to_ms(checker->config.server->connect_timeout) / 1000;
        char timeout[24];
        const char *const own[][2] = {{"connect_timeout", timeout}, {"keepalives_idle", "5"},
                {"keepalives_interval", "2"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "10000"}};
        const size_t own_count = sizeof(own) / sizeof(*own);
        size_t count = 0;

        snprintf(timeout, sizeof(timeout), "%lld", (long long)(seconds < 2 ? 2 : seconds)); /* libpq's least */
        while (words->keywords[count] != NULL)
                count++;
        VC_ASSERT(count + own_count < sizeof(words->keywords) / sizeof(*words->keywords));
        for (size_t i = 0; i < own_count; i++) {
                words->keywords[count + i] = own[i][0];
                words->values[count + i] = own[i][1];
        }
        return PQconnectdbParams(words->keywords, words->values, 0);
}

static PGconn *open_connection(struct pg_checker *checker)
{
        const struct pg_hosts by_libpq = {.count = 0};
        struct pg_server_words words;
        PGconn *conn;

        if (pg_server_words_init(&words, checker->config.server, &by_libpq, 0) != OK)
                return NULL;
        conn = connect_with(checker, &words);
        pg_server_words_deinit(&words);
        if (PQstatus(conn) == CONNECTION_OK)
                return conn;
        PQfinish(conn);
        return NULL;
}

/* Lends the connection's socket to those who break the check off; false: there is another request already. */
static bool lend_socket(struct pg_checker *checker, PGconn *conn, uint64_t asked)
{
        bool wanted;

        (void)pthread_mutex_lock(&checker->lock);
        wanted = checker->asked == asked && !checker->stopping;
        if (wanted)
                checker->socket = PQsocket(conn);
        (void)pthread_mutex_unlock(&checker->lock);
        return wanted;
}

static void take_socket(struct pg_checker *checker)
{
        (void)pthread_mutex_lock(&checker->lock);
        checker->socket = -1;
        (void)pthread_mutex_unlock(&checker->lock);
}

/* Under the lock. */
static void break_off(struct pg_checker *checker)
{
        if (checker->socket >= 0)
                (void)shutdown(checker->socket, SHUT_RDWR);
}

/* ---- checking ---- */

static enum err check_now(struct pg_checker *checker, uint64_t asked, struct pg_check **out)
{
        struct err_msg ignored; /* it may quote anything; pg_check's own sentences are what is shown */
        PGconn *conn = open_connection(checker);
        enum err rc = ERR_UNAVAILABLE;

        *out = NULL;
        if (conn == NULL)
                return rc;
        if (lend_socket(checker, conn, asked)) {
                rc = pg_check_run(out, conn, checker->config.types, PG_CHECK_INSTALLED, &ignored);
                take_socket(checker);
        }
        PQfinish(conn);
        return rc;
}

/* The texts quote the configuration and names of the schema; there are no data in them. */
static void log_problems(const struct pg_check *check)
{
        static const char *const words[] = {
                [PG_CHECK_SLOW] = "slow", [PG_CHECK_UNCACHED] = "not cached", [PG_CHECK_WRONG] = "wrong"};

        for (uint32_t i = 0; i < pg_check_problem_count(check); i++) {
                const struct pg_check_problem *problem = pg_check_problem_at(check, i);

                LOG_WARNING("a definition does not fit the database", LOG_WORD("it_is", words[problem->weight]),
                        LOG_PATH("place", problem->place), LOG_PATH("problem", problem->text));
        }
}

/* Tells first and shows afterwards, so that whoever sees the answer sees what follows from it. */
static void answer(struct pg_checker *checker, uint64_t asked, uint64_t round, struct pg_check *check)
{
        struct pg_check *old;

        log_problems(check);
        checker->config.checked(checker->config.context, round, check);
        (void)pthread_mutex_lock(&checker->lock);
        old = checker->found;
        checker->found = check;
        checker->answered = asked;
        (void)pthread_mutex_unlock(&checker->lock);
        pg_check_destroy(&old);
}

/* ---- the thread ---- */

/* Under the lock, which it gives away meanwhile. No condition is waited for with a time: the clocks that it could be
 * told by are set by others, or stand still while the machine sleeps. */
static void let_a_moment_pass(struct pg_checker *checker)
{
        const struct timespec moment = {.tv_nsec = MOMENT_MS * 1000 * 1000};

        (void)pthread_mutex_unlock(&checker->lock);
        (void)nanosleep(&moment, NULL);
        (void)pthread_mutex_lock(&checker->lock);
}

/* Under the lock, which it gives away meanwhile. */
static void attempt(struct pg_checker *checker)
{
        const uint64_t asked = checker->asked;
        const uint64_t round = checker->round;
        struct pg_check *check;
        enum err rc;

        (void)pthread_mutex_unlock(&checker->lock);
        rc = check_now(checker, asked, &check);
        if (rc == OK)
                answer(checker, asked, round, check);
        else
                LOG_WARNING("definitions not checked yet", LOG_ERR(rc));
        (void)pthread_mutex_lock(&checker->lock);
        checker->attempted = asked;
        for (int i = 0; i < RETRY_MOMENTS && rc != OK && !checker->stopping && checker->asked == asked; i++)
                let_a_moment_pass(checker);
}

static void *run(void *arg)
{
        struct pg_checker *checker = arg;

        (void)pthread_mutex_lock(&checker->lock);
        while (!checker->stopping) {
                if (checker->answered == checker->asked)
                        (void)pthread_cond_wait(&checker->changed, &checker->lock);
                else
                        attempt(checker);
        }
        (void)pthread_mutex_unlock(&checker->lock);
        return NULL;
}

/* ---- for others ---- */

enum err pg_checker_start(struct pg_checker **out, const struct pg_checker_config *config)
{
        struct pg_checker *checker = vc_calloc(1, sizeof(*checker));

        *out = NULL;
        if (checker == NULL)
                return ERR_NOMEM;
        checker->config = *config;
        checker->socket = -1;
        VC_ASSERT(pthread_mutex_init(&checker->lock, NULL) == 0);
        VC_ASSERT(pthread_cond_init(&checker->changed, NULL) == 0);
        if (pthread_create(&checker->thread, NULL, run, checker) != 0) {
                (void)pthread_cond_destroy(&checker->changed);
                (void)pthread_mutex_destroy(&checker->lock);
                vc_free(checker);
                return ERR_NOMEM;
        }
        (void)pthread_setname_np(checker->thread, "vc-definitions");
        *out = checker;
        return OK;
}

void pg_checker_stop(struct pg_checker *checker)
{
        bool stopped;

        if (checker == NULL)
                return;
        (void)pthread_mutex_lock(&checker->lock);
        stopped = checker->stopping;
        checker->stopping = true;
        break_off(checker);
        (void)pthread_cond_broadcast(&checker->changed);
        (void)pthread_mutex_unlock(&checker->lock);
        if (!stopped)
                (void)pthread_join(checker->thread, NULL);
}

void pg_checker_destroy(struct pg_checker **checker)
{
        struct pg_checker *c = *checker;

        *checker = NULL;
        if (c == NULL)
                return;
        pg_checker_stop(c);
        pg_check_destroy(&c->found);
        (void)pthread_cond_destroy(&c->changed);
        (void)pthread_mutex_destroy(&c->lock);
        vc_free(c);
}

void pg_checker_request(struct pg_checker *checker, uint64_t round)
{
        (void)pthread_mutex_lock(&checker->lock);
        checker->round = round;
        checker->asked++;
        break_off(checker);
        (void)pthread_cond_broadcast(&checker->changed);
        (void)pthread_mutex_unlock(&checker->lock);
}

enum err pg_checker_first(struct pg_checker *checker, struct err_msg *msg)
{
        enum err rc = OK;

        pg_checker_request(checker, 0);
        (void)pthread_mutex_lock(&checker->lock);
        for (int i = 0; i < FIRST_MOMENTS && checker->attempted == 0; i++)
                let_a_moment_pass(checker);
        if (checker->found != NULL)
                rc = pg_check_verdict(checker->found, msg);
        (void)pthread_mutex_unlock(&checker->lock);
        return rc;
}

void pg_checker_look(struct pg_checker *checker, pg_checker_fn look, void *context)
{
        (void)pthread_mutex_lock(&checker->lock);
        look(context, checker->found, checker->found != NULL && checker->answered == checker->asked);
        (void)pthread_mutex_unlock(&checker->lock);
}
