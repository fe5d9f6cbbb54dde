/* What the files of the PostgreSQL provider share; no one else includes it. All of it belongs to the provider's thread,
 * but for what `lock` guards.
 *      truth_postgres.c  life, mail, what people see
 *      truth_poll.c      the polls and what is published of them
 *      truth_touch.c     writes of tags, and hints from and to other nodes
 *      truth_upkeep.c    what a node does for all: begin an epoch, sign tables anew, clean up */
#ifndef INVALIDATION_TRUTH_POSTGRES_PARTS_H
#define INVALIDATION_TRUTH_POSTGRES_PARTS_H

#include "database/pg_pool.h"
#include "invalidation/pg_poll.h"

#include <pthread.h>

struct event;

#define TRUTH_CHANNEL "vitalcache"

enum { TRUTH_VERSION = 2, TRUTH_SAMPLES = 24 };

/* A statement run by itself; one of each kind at a time. */
struct truth_call {
        struct pg_exchange exchange;
        struct pg_statement statement;
        struct pg_step step;
        const char *values[1];
        bool under_way;
        bool said_yes; /* the first row's first column is true */
        struct nanos begun;
};

/* A write whose outcome is not known: its tags are withheld until a poll shows it. */
struct truth_doubt {
        struct list link;
        struct tag_hashes tags;
        uint64_t xid;   /* 0: not known either */
        uint64_t after; /* the last poll that had been begun then */
};

/* A poll's snapshot, kept until it is older than every entry. */
struct truth_sample {
        struct nanos at;
        struct buf text;
};

struct truth_postgres {
        struct truth_postgres_config config;
        uint64_t sender; /* this node's number in hints */
        uint64_t tag_seed;

        struct pg_pool *polls;  /* one connection, which listens, too */
        struct pg_pool *writes; /* one connection */

        /* polls */
        struct event *timer;
        struct pg_poll poll;
        struct pg_exchange exchange;
        struct nanos sent;
        struct position number;
        enum err poll_status;
        bool polling;
        bool due;            /* the timer fired while a poll was under way */
        bool warned;         /* the server gave a warning during it */
        uint64_t beat_epoch; /* the last history that was seen to have synchronous replicas */
        bool beat;
        bool late;                /* the last poll was not answered in time */
        struct buf last_snapshot; /* texts of the last published poll */
        struct buf last_floor;
        struct buf last_definitions;

        /* definitions */
        uint64_t round;   /* asked for */
        uint64_t checked; /* answered */
        struct tag_hashes uncovered;

        /* writes and hints */
        struct pg_statement begin, invalidate, commit, notify;
        struct list doubts;

        /* upkeep */
        struct truth_call begin_epoch, resign, clean;
        struct truth_sample samples[TRUTH_SAMPLES]; /* the oldest first */
        uint32_t sample_count;

        pthread_mutex_t lock;
        struct truth_state state; /* guarded */
};

/* ---- truth_poll.c ---- */
enum err truth_poll_init(struct truth_postgres *t);
void truth_poll_deinit(struct truth_postgres *t);
/* Polls now, or as soon as the poll under way has ended. */
void truth_poll_now(struct truth_postgres *t);
/* Tells people and the log how the last poll went. */
void truth_poll_report(
        struct truth_postgres *t, enum truth_condition condition, const char *sqlstate, const char *advice);

/* ---- truth_touch.c ---- */
void truth_touch_init(struct truth_postgres *t);
void truth_touch_deinit(struct truth_postgres *t);
void truth_touch_run(struct truth_postgres *t, struct source_write *write);
/* Adds the tags in doubt that a poll with this number and snapshot does not settle; forgets the others, and all of them
 * in a new history. ERR_NOMEM. */
enum err truth_touch_withhold(struct truth_postgres *t, const struct pg_poll_reply *reply, struct tag_hashes *out);
/* A NOTIFY has come. */
void truth_touch_heard(struct truth_postgres *t, const char *payload);

/* ---- truth_upkeep.c ---- */
void truth_upkeep_init(struct truth_postgres *t);
void truth_upkeep_deinit(struct truth_postgres *t);
/* Names the history; a poll follows. */
void truth_upkeep_begin_epoch(struct truth_postgres *t);
/* After a poll was published: signs anew, samples, cleans up, when it is time. */
void truth_upkeep_after_poll(struct truth_postgres *t, const struct pg_poll_reply *reply);
/* Another history: what was kept of the last one is of no use. */
void truth_upkeep_forget(struct truth_postgres *t);

#endif
