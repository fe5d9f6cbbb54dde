/* A reader: batches of pipelined reads on one connection, each with the moment before the batch was sent and the one at
 * which its own reply had come. The node's invocation is later than the first and its reply earlier than the second, so
 * the checker asks for less than was promised, never for more. */
#include "tests/faults/driver.h"

#include "base/hash.h"
#include "base/mem.h"

#include <hiredis/hiredis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIPELINE_MAX = 64, GROUP_MAX = 8, PATIENCE_S = 90 };

struct ask {
        const char *type;
        struct read reads[GROUP_MAX];
        unsigned count; /* more than one: MGET */
};

static const char *choose_type(const struct driver_options *o, uint64_t dice)
{
        static const char *const types[] = {"allergies", "allergies", "allergies", "conditions", "student", "summary"};

        if (dice % 100 < o->strict_percent)
                return "strict";
        return types[dice / 100 % (sizeof types / sizeof *types)];
}

/* Any student, but half of the time one of the first few: these are hot. */
static uint32_t choose_key(struct reader *r)
{
        const struct driver_options *o = r->shared->options;
        uint64_t dice = random_next(&r->seed);
        uint32_t all = o->keys + o->missing;

        return (uint32_t)(dice >> 8) % (dice % 2 == 0 || all < 16 ? all : 16) + 1;
}

/* The token of some writer's last write. False: there is none yet. */
static bool choose_token(struct reader *r, uint32_t *key, uint64_t *version, char *text)
{
        struct shared *s = r->shared;
        unsigned writer = (unsigned)(random_next(&r->seed) % s->options->writers);

        (void)pthread_mutex_lock(&s->lock);
        *key = s->tokens[writer].key;
        *version = s->tokens[writer].version;
        (void)snprintf(text, TOKEN_MAX, "%s", s->tokens[writer].text);
        (void)pthread_mutex_unlock(&s->lock);
        return *version > 0;
}

static void append_group(struct reader *r, struct ask *ask)
{
        char words[GROUP_MAX][48];
        const char *argv[GROUP_MAX + 1] = {"MGET"};

        ask->count = 2 + (unsigned)(random_next(&r->seed) % (GROUP_MAX - 1));
        for (unsigned i = 0; i < ask->count; i++) {
                ask->reads[i] = ask->reads[0];
                ask->reads[i].key = choose_key(r);
                (void)snprintf(words[i], sizeof words[i], "%s:%u", ask->type, ask->reads[i].key);
                argv[i + 1] = words[i];
        }
        (void)redisAppendCommandArgv(r->connection, (int)ask->count + 1, argv, NULL);
}

static void append(struct reader *r, struct ask *ask)
{
        const struct driver_options *o = r->shared->options;
        uint64_t dice = random_next(&r->seed);
        struct read *read = &ask->reads[0];
        char token[TOKEN_MAX];

        *ask = (struct ask){.type = choose_type(o, dice), .count = 1};
        read->bound = strcmp(ask->type, "strict") == 0 ? 0 : o->bound;
        read->key = choose_key(r);
        dice = random_next(&r->seed) % 100;
        if (dice < o->token_percent && choose_token(r, &read->key, &read->after, token))
                (void)redisAppendCommand(r->connection, "GET %s:%u AFTER %s", ask->type, read->key, token);
        else if (dice >= 98)
                append_group(r, ask);
        else
                (void)redisAppendCommand(r->connection, "GET %s:%u", ask->type, read->key);
}

/* ---- replies ---- */

static enum reply reply_of_error(const char *text)
{
        if (strncmp(text, "UNAVAILABLE", 11) == 0)
                return REPLY_UNAVAILABLE;
        if (strncmp(text, "BUSY", 4) == 0)
                return REPLY_BUSY;
        return strncmp(text, "EPOCH", 5) == 0 ? REPLY_EPOCH : REPLY_OTHER;
}

static void take_reply(struct read *read, const char *type, const redisReply *reply)
{
        read->reply = REPLY_VALUE;
        switch (reply == NULL ? REDIS_REPLY_STATUS : reply->type) {
        case REDIS_REPLY_NIL: read->shown = (struct shown){SHOWN_NOBODY, 0}; break;
        case REDIS_REPLY_STRING:
                if (!reply_shows(type, reply->str, reply->len, &read->shown))
                        read->reply = REPLY_UNAVAILABLE;
                break;
        case REDIS_REPLY_ERROR:
                read->reply = reply_of_error(reply->str);
                if (read->reply == REPLY_OTHER)
                        (void)fprintf(stderr, "fault_driver: a node's answer: %s\n", reply->str);
                break;
        default: read->reply = REPLY_OTHER; break;
        }
}

static void record(struct reader *r, const struct read *read)
{
        struct read_chunk *chunk = r->last;
        struct shared *s = r->shared;

        if (chunk == NULL || chunk->count == READS_PER_CHUNK) {
                chunk = vc_malloc(sizeof *chunk);
                if (chunk == NULL)
                        driver_fail("no memory", "reads");
                chunk->next = NULL;
                chunk->count = 0;
                *(r->last == NULL ? &r->first : &r->last->next) = chunk;
                r->last = chunk;
        }
        chunk->reads[chunk->count++] = *read;
        if (read->reply == REPLY_VALUE)
                atomic_fetch_add_explicit(&s->values, 1, memory_order_relaxed);
        else
                atomic_fetch_add_explicit(
                        read->reply == REPLY_UNAVAILABLE ? &s->unavailable : &s->others, 1, memory_order_relaxed);
}

/* *reply NULL: the connection broke. */
static void take(struct reader *r, struct ask *ask, int64_t invoked, const redisReply *reply)
{
        int64_t now = driver_now();
        bool group =
                ask->count > 1 && reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == ask->count;

        for (unsigned i = 0; i < ask->count; i++) {
                struct read *read = &ask->reads[i];

                read->invoked = invoked;
                read->returned = now;
                if (reply == NULL)
                        read->reply = REPLY_LOST;
                else
                        take_reply(read, ask->type, group ? reply->element[i] : reply);
                record(r, read);
        }
}

static void run_batch(struct reader *r)
{
        static const char *const unknown = "the pipeline is longer than can be";
        unsigned count = r->shared->options->pipeline;
        struct ask asks[PIPELINE_MAX];
        int64_t invoked;
        void *reply = NULL;
        bool broken = false;

        if (count > PIPELINE_MAX)
                driver_fail(unknown, "64");
        for (unsigned i = 0; i < count; i++)
                append(r, &asks[i]);
        invoked = driver_now();
        for (unsigned i = 0; i < count; i++) {
                broken = broken || redisGetReply(r->connection, &reply) != REDIS_OK;
                take(r, &asks[i], invoked, broken ? NULL : reply);
                if (!broken)
                        freeReplyObject(reply);
        }
        if (broken) {
                redisFree(r->connection);
                r->connection = NULL;
        }
}

/* ---- the thread ---- */

static bool ready(struct reader *r)
{
        const struct driver_options *o = r->shared->options;
        char host[64];
        int port;

        if (r->connection != NULL)
                return true;
        if (sscanf(o->nodes[r->number % o->node_count], "%63[^:]:%d", host, &port) != 2)
                driver_fail("a node is host:port", o->nodes[r->number % o->node_count]);
        r->connection = redisConnectWithTimeout(host, port, (struct timeval){PATIENCE_S, 0});
        if (r->connection != NULL && ((redisContext *)r->connection)->err == 0 &&
                redisSetTimeout(r->connection, (struct timeval){PATIENCE_S, 0}) == REDIS_OK)
                return true;
        if (r->connection != NULL)
                redisFree(r->connection);
        r->connection = NULL;
        return false;
}

void *reader_run(void *reader)
{
        struct reader *r = reader;
        struct shared *s = r->shared;

        while (!atomic_load(&s->stopping)) {
                if (!ready(r)) {
                        driver_pause(50);
                        continue;
                }
                run_batch(r);
                driver_pause(s->options->read_pause_ms);
        }
        if (r->connection != NULL)
                redisFree(r->connection);
        return NULL;
}
