/* One poll of a PostgreSQL primary: the statements it is made of, and what is read from their results. Everything in it
 * is one transaction with one snapshot (docs/FRESHNESS.md, section 3.2):
 *
 *      BEGIN ISOLATION LEVEL REPEATABLE READ
 *      vc_poll()      who answers, snapshot, epoch, floor
 *      vc_touched()   the tags touched by what this snapshot contains and the last poll's does not
 *      vc_state()     tables whose triggers are not in order, or not those they were
 *      vc_beat()      with heartbeats: something to commit
 *      COMMIT         confirmed by the synchronous replica, or late
 *
 * No waiting and no clock in here. One thread. */
#ifndef INVALIDATION_PG_POLL_H
#define INVALIDATION_PG_POLL_H

#include "base/buf.h"
#include "database/pg_exchange.h"
#include "database/snapshot.h"
#include "invalidation/tag_hashes.h"
#include "invalidation/truth_postgres.h"

/* How many touches a poll takes in one by one; and one that must not take long again. */
enum { PG_POLL_STEPS_MAX = 7, PG_POLL_TOUCHES_MAX = 200000, PG_POLL_TOUCHES_FEW = 2000 };

struct pg_poll_reply {
        bool is_primary;
        bool synchronous; /* the server has synchronous replicas, by its own settings */
        uint64_t epoch;   /* EPOCH_NONE: there is none yet */
        int64_t version;  /* of the schema `vitalcache` */
        struct snapshot snapshot;
        struct buf snapshot_text;   /* terminated: in full, while `snapshot` may be cut */
        struct buf floor;           /* text */
        struct buf definitions;     /* text that changes whenever watched relations or their signatures do */
        struct tag_hashes touched;  /* TAG_ALL alone when there were too many to name */
        struct tag_hashes withheld; /* tables that are not in order or have changed */
        bool sign_anew;             /* some have changed and are in order */
        uint32_t trouble_count;
        struct truth_trouble troubles[TRUTH_TROUBLES_MAX];
};

/* `kinds`, `statements` and the values are its own. */
struct pg_poll {
        uint64_t tag_seed;
        struct pg_statement statements[PG_POLL_STEPS_MAX];
        struct pg_step steps[PG_POLL_STEPS_MAX];
        uint8_t kinds[PG_POLL_STEPS_MAX];
        uint32_t step_count;
        uint32_t answered;
        int most;           /* touches that are taken in */
        char most_text[16]; /* one more, which is asked for: so many are seen as "all" */
        const char *touched_values[2];
        const char *beat_values[1];
        struct pg_poll_reply reply;
};

/* Tags are hashed with `tag_seed`. */
void pg_poll_init(struct pg_poll *poll, uint64_t tag_seed);
void pg_poll_deinit(struct pg_poll *poll);

/* Makes the steps of the next poll, and forgets the last one's reply. `after`: the text of the last published poll's
 * snapshot, NULL: nothing is asked about touches; more than `most` of them are a touch of everything. `node`: whose
 * heartbeat it commits, NULL: none. The texts are borrowed while the poll is under way. */
void pg_poll_ask(struct pg_poll *poll, const char *after, int most, const char *node);

/* Reads the result of a step. ERR_UNAVAILABLE: the step failed, or was skipped. ERR_CORRUPT: it is not understood.
 * ERR_NOMEM. After any of them the poll is worth nothing. */
enum err pg_poll_take(struct pg_poll *poll, uint32_t step, const PGresult *result) MUST_CHECK;

/* Whether all steps were answered well. */
bool pg_poll_is_whole(const struct pg_poll *poll);

#endif
