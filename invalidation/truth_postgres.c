#include "invalidation/truth_postgres_parts.h"

#include "base/hash.h"
#include "base/mem.h"
#include "database/mutant.h"
#include "database/tag.h"

#include <string.h>

const char *truth_condition_name(enum truth_condition condition)
{
        static const char *const names[] = {
                [TRUTH_CONNECTING] = "connecting",
                [TRUTH_POLLING] = "polling",
                [TRUTH_UNREACHABLE] = "unreachable",
                [TRUTH_SLOW] = "slow",
                [TRUTH_STANDBY] = "standby",
                [TRUTH_NOT_INSTALLED] = "not-installed",
                [TRUTH_FORBIDDEN] = "forbidden",
                [TRUTH_UNCONFIRMED] = "unconfirmed",
                [TRUTH_FAILING] = "failing",
        };

        VC_ASSERT((unsigned)condition < sizeof(names) / sizeof(names[0]));
        return names[condition];
}

/* ---- connections ---- */

static void on_opened(void *context)
{
        truth_poll_now(context); /* what happened while there was none is asked for at once */
}

static void on_lost(void *context, const struct pg_trouble *trouble)
{
        enum truth_condition condition = trouble->no_answer ? TRUTH_SLOW : TRUTH_UNREACHABLE;

        if (strcmp(trouble->sqlstate, "25006") == 0) /* LISTEN is refused by a standby */
                condition = TRUTH_STANDBY;
        truth_poll_report(context, condition, trouble->sqlstate, trouble->text);
}

static void on_notify(void *context, const char *channel, const char *payload)
{
        if (strcmp(channel, TRUTH_CHANNEL) == 0)
                truth_touch_heard(context, payload);
}

static enum err open_pools(struct truth_postgres *t)
{
        struct pg_pool_config config = {
                .base = loop_thread_base(t->config.thread),
                .server = t->config.server,
                .size = 1,
                .acquire_timeout = t->config.write_timeout,
                .now = t->config.now,
                .seed = t->config.seed + 1,
                .context = t,
        };
        enum err rc = pg_pool_create(&t->writes, &config);

        if (rc != OK)
                return rc;
        config.seed++;
        config.acquire_timeout = t->config.poll_timeout;
        config.greeting = MUTANT(POLL_OF_REPLICA) ? "SELECT 1" : "LISTEN " TRUTH_CHANNEL; /* a standby refuses LISTEN */
        config.opened = on_opened;
        config.lost = on_lost;
        config.notify = on_notify;
        return pg_pool_create(&t->polls, &config);
}

/* ---- life ---- */

struct beginning {
        struct truth_postgres *truth;
        enum err status;
};

/* Everything that has to do with the loop is made and unmade on its thread. */
static void begin(void *context)
{
        struct beginning *b = context;

        b->status = open_pools(b->truth);
        if (b->status == OK)
                b->status = truth_poll_init(b->truth);
        if (b->status == OK)
                truth_poll_now(b->truth);
}

static void end(void *context)
{
        struct truth_postgres *t = context;

        truth_poll_deinit(t);
        pg_pool_destroy(&t->polls); /* ends what is under way, before it is freed */
        pg_pool_destroy(&t->writes);
        pg_poll_deinit(&t->poll);
        truth_touch_deinit(t);
        truth_upkeep_deinit(t);
        tag_hashes_deinit(&t->uncovered);
}

enum err truth_postgres_start(struct truth_postgres **out, const struct truth_postgres_config *config)
{
        struct truth_postgres *t = vc_calloc(1, sizeof(*t));
        struct beginning beginning = {t, OK};

        *out = NULL;
        if (t == NULL)
                return ERR_NOMEM;
        t->config = *config;
        t->sender = config->seed;
        t->tag_seed = freshness_tag_seed(config->freshness);
        t->round = config->check_definitions;
        t->beat = config->heartbeat == TRUTH_HEARTBEAT_ON;
        (void)pthread_mutex_init(&t->lock, NULL);
        pg_poll_init(&t->poll, t->tag_seed);
        truth_touch_init(t);
        truth_upkeep_init(t);
        *out = t; /* before the thread can call back */
        loop_thread_call(config->thread, begin, &beginning);
        if (beginning.status != OK)
                truth_postgres_stop(out);
        return beginning.status;
}

void truth_postgres_stop(struct truth_postgres **out)
{
        struct truth_postgres *t = *out;

        *out = NULL;
        if (t == NULL)
                return;
        loop_thread_call(t->config.thread, end, t);
        (void)pthread_mutex_destroy(&t->lock);
        vc_free(t);
}

/* ---- mail ---- */

struct touch_mail {
        struct loop_job job;
        struct truth_postgres *truth;
        struct source_write *write;
};

static void run_touch(struct loop_job *job)
{
        struct touch_mail *mail = LIST_ENTRY(job, struct touch_mail, job);

        truth_touch_run(mail->truth, mail->write);
        vc_free(mail);
}

void truth_postgres_touch(struct truth_postgres *truth, struct source_write *write)
{
        struct touch_mail *mail = vc_calloc(1, sizeof(*mail));

        VC_ASSERT(write->kind == WRITE_TOUCH && write->tag_count > 0);
        if (mail == NULL) {
                write->status = err_set(&write->message, ERR_NOMEM, "out of memory");
                write->done(write);
                return;
        }
        *mail = (struct touch_mail){{.run = run_touch}, truth, write};
        loop_thread_post(truth->config.thread, &mail->job);
}

struct checked_mail {
        struct loop_job job;
        struct truth_postgres *truth;
        uint64_t round;
        struct tag_hashes uncovered;
        bool incomplete; /* for want of memory */
};

static void run_checked(struct loop_job *job)
{
        struct checked_mail *mail = LIST_ENTRY(job, struct checked_mail, job);
        struct truth_postgres *t = mail->truth;

        if (mail->round == t->round && !mail->incomplete) {
                tag_hashes_deinit(&t->uncovered);
                t->uncovered = mail->uncovered;
                mail->uncovered = (struct tag_hashes){0};
                t->checked = mail->round;
                truth_poll_now(t);
        }
        tag_hashes_deinit(&mail->uncovered);
        vc_free(mail);
}

void truth_postgres_checked(struct truth_postgres *truth, uint64_t round, const char *const *tables, size_t table_count)
{
        struct checked_mail *mail = vc_calloc(1, sizeof(*mail));

        if (mail == NULL) /* everything stays withheld */
                return;
        mail->job.run = run_checked;
        mail->truth = truth;
        mail->round = round;
        for (size_t i = 0; i < table_count; i++) {
                const struct tag tag = {.kind = TAG_TABLE, .table = slice_str(tables[i])};

                if (tag_hashes_add(&mail->uncovered, tag_hash(&tag, truth->tag_seed)) != OK)
                        mail->incomplete = true;
        }
        loop_thread_post(truth->config.thread, &mail->job);
}

void truth_postgres_state(struct truth_postgres *truth, struct truth_state *out)
{
        (void)pthread_mutex_lock(&truth->lock);
        *out = truth->state;
        (void)pthread_mutex_unlock(&truth->lock);
}
