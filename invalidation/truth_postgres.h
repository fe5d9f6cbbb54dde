/* The polled provider of truth: a node's follower of a PostgreSQL primary (docs/FRESHNESS.md, section 3.2).
 *
 * On a thread of its own ("vc-postgres", shared with nobody who blocks) it polls the primary over a direct connection,
 * and publishes in struct freshness what was touched: it is freshness' only publisher. The same thread writes the tags
 * that clients invalidate. It tells other nodes of them, and hears of theirs, by NOTIFY; those are hints, nothing
 * depends on them. */
#ifndef INVALIDATION_TRUTH_POSTGRES_H
#define INVALIDATION_TRUTH_POSTGRES_H

#include "base/loop_thread.h"
#include "database/pg_server.h"
#include "database/source_write.h"
#include "invalidation/freshness.h"

struct truth_postgres;

/* Whether polls commit something and wait for a synchronous replica to confirm it. AUTO: when the primary says that it
 * has synchronous replicas. */
enum truth_heartbeat { TRUTH_HEARTBEAT_AUTO, TRUTH_HEARTBEAT_ON, TRUTH_HEARTBEAT_OFF };

struct truth_postgres_config {
        struct freshness *freshness;    /* polled; outlives this; with TRUTH_HEARTBEAT_ON made with .heartbeats */
        struct loop_thread *thread;     /* outlives this */
        const struct pg_server *server; /* direct: no pooler between; borrowed */
        const char *node;               /* the node's name, unique among those that share the database; borrowed */
        struct nanos poll_interval;     /* from the sending of one poll to that of the next */
        struct nanos poll_timeout;
        struct nanos write_timeout;
        struct nanos longest_life; /* of any entry: touches older than it may be cleaned up */
        struct nanos clean_interval;
        enum truth_heartbeat heartbeat;
        bool check_definitions; /* no entry is fresh before truth_postgres_checked */
        uint64_t seed;          /* random; not 0 */
        struct nanos (*now)(void);

        /* Called on the thread; each may be NULL. */
        void (*heartbeats)(void *context, bool on); /* whether strict reads have to confirm a commit of their own */
        /* A table's triggers, a view or the schema may have changed: what was found out about definitions holds no
         * longer. To be answered, from any thread, with truth_postgres_checked(round); until then the tables that
         * changed are withheld. Must not block. Called once at the start of each epoch, too. */
        void (*recheck)(void *context, uint64_t round);
        /* The state that people see has changed; truth_postgres_state says to what. */
        void (*changed)(void *context);
        void *context;
};

/* Starts polling. ERR_NOMEM; *out is NULL then. An unreachable database is no error: it goes on trying. *out is
 * set before anything is called back. Not on the thread. */
enum err truth_postgres_start(struct truth_postgres **out, const struct truth_postgres_config *config) MUST_CHECK;

/* Stops polling, ends writes under way (their outcome unknown), frees, nulls. NULL-safe. Not on the thread. */
void truth_postgres_stop(struct truth_postgres **truth);

/* A WRITE_TOUCH: its tags are touched by a transaction. OK: committed; write->epoch and position.n (its transaction id)
 * make a token, and no entry with these tags that was read before it answers here any more. `done` is called on the
 * thread. ERR_UNAVAILABLE: not done, or its outcome is not known (the message says which; the tags' entries do not
 * answer until a poll has shown it). Any thread. */
void truth_postgres_touch(struct truth_postgres *truth, struct source_write *write);

/* What a check of definitions, the `round` that was asked for, has found: the tables (names, copied) whose tags cannot
 * be relied on: entries with them are not fresh. Replaces the earlier finding. Any thread. */
void truth_postgres_checked(
        struct truth_postgres *truth, uint64_t round, const char *const *tables, size_t table_count);

/* ---- for people: HEALTH, INFO, STATS ---- */

enum truth_condition {
        TRUTH_CONNECTING,    /* no poll has been answered yet */
        TRUTH_POLLING,       /* the last poll succeeded */
        TRUTH_UNREACHABLE,   /* no connection, or it was lost */
        TRUTH_SLOW,          /* the last poll was not answered in time */
        TRUTH_STANDBY,       /* who answers is no primary */
        TRUTH_NOT_INSTALLED, /* the schema `vitalcache` is not there, or of another version */
        TRUTH_FORBIDDEN,     /* the role may not use it */
        TRUTH_UNCONFIRMED,   /* no synchronous replica has confirmed the last poll */
        TRUTH_FAILING        /* the last poll failed otherwise: sqlstate says how */
};

enum { TRUTH_TROUBLES_MAX = 32, TRUTH_NAME_SIZE = 132, TRUTH_PROBLEM_SIZE = 100 };

/* A table whose entries are not cached, and why; names are the schema's. */
struct truth_trouble {
        char table[TRUTH_NAME_SIZE];
        char relation[TRUTH_NAME_SIZE];
        char problem[TRUTH_PROBLEM_SIZE];
};

struct truth_state {
        enum truth_condition condition;
        char sqlstate[6];   /* of the last failed poll, or "" */
        const char *advice; /* what to do, a sentence; NULL when all is well */
        uint64_t epoch;
        struct nanos round_trip; /* of the last successful poll */
        bool heartbeats;
        uint32_t trouble_count; /* may exceed what `troubles` holds */
        struct truth_trouble troubles[TRUTH_TROUBLES_MAX];
};

/* How it stands now. Any thread; waits for nothing but a copy. */
void truth_postgres_state(struct truth_postgres *truth, struct truth_state *out);

/* "polling", "unreachable"…; never NULL. */
const char *truth_condition_name(enum truth_condition condition);

#endif
