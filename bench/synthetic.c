#include "bench/synthetic.h"

#include "base/hash.h"
#include "base/mem.h"
#include "bench/requests.h"
#include "database/tag.h"
#include "database/value.h"
#include "monitoring/counters.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { EPOCH = 0x5eed, ID_SIZE = 32 };

struct synthetic {
        struct source source;
        struct synthetic_config config;
        struct freshness *freshness;
        struct buf value;     /* msgpack text; a read writes its id over the first letters */
        size_t text_size;     /* of it, without its head */
        _Atomic uint64_t txn; /* the newest transaction */
        uint64_t random;
        uint64_t *touched; /* hashes of one poll's tags */
        size_t touched_count;
        pthread_t poller;
        bool polling;
        pthread_mutex_t lock;
        pthread_cond_t stop;
        bool stopping;
};

static struct synthetic *synthetic_of(struct source *source)
{
        return (struct synthetic *)(void *)source;
}

/* ---- reads ---- */

static void read_one(struct synthetic *s, struct source_read *read)
{
        const size_t shown = read->id.len < s->text_size ? read->id.len : s->text_size;

        read->epoch = EPOCH;
        read->snapshot = snapshot_of_txn(atomic_load(&s->txn));
        read->found = true;
        read->status = buf_append_slice(&read->value, buf_slice(&s->value));
        if (read->status == OK)
                memcpy(read->value.data + read->value.end - s->text_size, read->id.data, shown);
}

static void fetch_many(struct source_port *port, struct list *reads)
{
        struct list *link;

        while ((link = list_pop_front(reads)) != NULL) {
                struct source_read *read = LIST_ENTRY(link, struct source_read, link);

                read_one(synthetic_of(port->source), read);
                read->done(read);
        }
}

/* ---- what it does not have ---- */

static const char nothing[] = "there is no database behind this server";

static void apply(struct source *source, struct source_write *write)
{
        (void)source;
        write->status = err_set(&write->message, ERR_READONLY, nothing);
        write->done(write);
}

static enum err scan(struct source *source, const struct source_scan *what, struct err_msg *msg)
{
        (void)source;
        (void)what;
        return err_set(msg, ERR_READONLY, nothing);
}

static enum err walk(struct source *source, const struct source_walk *what, struct err_msg *msg)
{
        (void)source;
        (void)what;
        return err_set(msg, ERR_READONLY, nothing);
}

static enum err health(struct source *source, bool deep, struct source_health *out, struct err_msg *msg)
{
        (void)source;
        (void)deep;
        (void)msg;
        *out = (struct source_health){.ok = true, .foreign = true};
        return OK;
}

/* ---- polls ---- */

/* Students whose numbers have more digits than those that are read. */
static uint64_t touch_another(struct synthetic *s)
{
        struct tag tag = {.kind = TAG_STUDENT_TABLE, .table = slice_str("allergies")};
        char id[ID_SIZE];
        const int len = snprintf(id, sizeof(id), "1%019" PRIu64, random_next(&s->random) >> 8);

        tag.id = slice_of(id, (size_t)len);
        return tag_hash(&tag, freshness_tag_seed(s->freshness));
}

static void poll(struct synthetic *s)
{
        struct freshness_poll poll = {.epoch = EPOCH, .touched = s->touched, .touched_count = s->touched_count};

        poll.number = freshness_poll_begin(s->freshness);
        poll.sent = clock_boot();
        for (size_t i = 0; i < s->touched_count; i++)
                s->touched[i] = touch_another(s);
        poll.snapshot = snapshot_of_txn(atomic_fetch_add(&s->txn, s->touched_count) + s->touched_count);
        freshness_poll_end(s->freshness, &poll);
        counter_add(COUNTER_polls, 1);
        counter_add(COUNTER_tags_touched, s->touched_count);
}

/* Waits for one interval; true: to be ended. */
static bool pause_polls(struct synthetic *s)
{
        struct timespec until;
        int64_t ns;
        bool stopping;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        ns = until.tv_nsec + s->config.interval.ns;
        until.tv_sec += ns / NANOS_PER_S;
        until.tv_nsec = ns % NANOS_PER_S;
        (void)pthread_mutex_lock(&s->lock);
        while (!s->stopping && pthread_cond_timedwait(&s->stop, &s->lock, &until) != ETIMEDOUT)
                ;
        stopping = s->stopping;
        (void)pthread_mutex_unlock(&s->lock);
        return stopping;
}

static void *run_polls(void *arg)
{
        while (!pause_polls(arg))
                poll(arg);
        return NULL;
}

/* ---- life ---- */

static void close_source(struct source **source)
{
        struct synthetic *s = synthetic_of(*source);

        *source = NULL;
        (void)pthread_mutex_lock(&s->lock);
        s->stopping = true;
        (void)pthread_cond_signal(&s->stop);
        (void)pthread_mutex_unlock(&s->lock);
        if (s->polling)
                (void)pthread_join(s->poller, NULL);
        (void)pthread_cond_destroy(&s->stop);
        (void)pthread_mutex_destroy(&s->lock);
        buf_deinit(&s->value);
        vc_free(s->touched);
        vc_free(s);
}

static const struct source_ops OPS = {.name = "synthetic",
        .open_port = source_plain_port_open,
        .close_port = source_plain_port_close,
        .fetch_many = fetch_many,
        .apply = apply,
        .scan = scan,
        .walk = walk,
        .health = health,
        .close = close_source};

static enum err make_value(struct synthetic *s)
{
        char *text;
        enum err rc;

        s->text_size = s->config.value_size - 2; /* JSON adds quotes */
        text = vc_malloc(s->text_size);
        if (text == NULL)
                return ERR_NOMEM;
        memset(text, 'x', s->text_size);
        rc = value_put_text(&s->value, slice_of(text, s->text_size));
        vc_free(text);
        return rc;
}

static enum err make_touches(struct synthetic *s)
{
        s->touched_count = (size_t)((double)s->config.touches * (double)s->config.interval.ns / (double)NANOS_PER_S);
        s->touched = vc_calloc(s->touched_count + 1, sizeof(*s->touched));
        return s->touched == NULL ? ERR_NOMEM : OK;
}

static enum err start_polls(struct synthetic *s, struct err_msg *msg)
{
        poll(s);
        s->polling = pthread_create(&s->poller, NULL, run_polls, s) == 0;
        return s->polling ? OK : err_set(msg, ERR_IO, "cannot start the thread that polls");
}

enum err synthetic_open(
        struct source **out, const struct synthetic_config *config, struct freshness *freshness, struct err_msg *msg)
{
        struct synthetic *s = vc_calloc(1, sizeof(*s));
        pthread_condattr_t monotonic;
        enum err rc;

        *out = NULL;
        VC_ASSERT(config->value_size >= REQUESTS_VALUE_MIN && config->interval.ns > 0);
        if (s == NULL)
                return ERR_NOMEM;
        s->source = (struct source){.magic = SOURCE_MAGIC, .ops = &OPS};
        s->config = *config;
        s->freshness = freshness;
        atomic_init(&s->txn, 1);
        buf_init(&s->value, 0);
        (void)pthread_mutex_init(&s->lock, NULL);
        (void)pthread_condattr_init(&monotonic);
        (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&s->stop, &monotonic);
        (void)pthread_condattr_destroy(&monotonic);
        *out = &s->source;
        rc = make_value(s);
        if (rc == OK)
                rc = make_touches(s);
        if (rc == OK)
                rc = start_polls(s, msg);
        if (rc != OK)
                close_source(out);
        return rc;
}
