/* A simulated polled database: a primary with snapshots, open transactions, touches, asynchronous commits that a
 * crash takes back (their transaction ids are then given again), a lagging replica, and fail-over to it. Each cell is
 * a table of its own, whose trigger may be away for a while; touches are cleaned up. With a synchronous replica nothing
 * that was acknowledged is lost, and the old primary goes on to answer reads after a fail-over.
 *
 * Everything that has happened is one log, as in a write-ahead log: the primary's state is all of it, the replica's
 * and what survives a crash are prefixes. */
#ifndef TESTS_SIM_PRIMARY_H
#define TESTS_SIM_PRIMARY_H

#include "tests/sim/world.h"

enum { LOG_MAX = 96, OPEN_MAX = 4, FLOORS_MAX = 8 };

/* What the database says about its triggers and touches; written by transactions as everything else. */
struct tables {
        unsigned off;             /* cells whose trigger is away: their commits touch nothing */
        uint8_t signature[CELLS]; /* changes whenever the trigger goes or comes */
        uint8_t recorded[CELLS];  /* the signature when all that was missed had been touched */
        uint8_t floor;            /* touches contained in floors[this - 1] are gone; 0: none */
};

enum log_kind { LOG_COMMIT, LOG_ABORT, LOG_EPOCH };
struct log_entry {
        enum log_kind kind;
        uint64_t xid;
        uint64_t epoch;
        unsigned touched; /* cells; in the same transaction as the data */
        struct data data;
        struct tables tables;
        uint32_t write; /* its number in world.writes */
};

/* What one statement sees, all of it from one snapshot. */
struct primary_read {
        uint64_t epoch;
        struct snapshot snapshot;
        struct data data;
};

struct open_transaction {
        uint64_t xid; /* 0: none */
        unsigned cells;
};

struct primary {
        struct world *world;
        struct log_entry log[LOG_MAX];
        uint32_t length;
        uint32_t durable;  /* what a crash leaves */
        uint32_t replayed; /* what the replica has; at most what is durable */
        struct open_transaction open[OPEN_MAX];
        uint64_t next_xid;
        uint64_t completed; /* the greatest xid that has ended */
        uint64_t epoch;     /* 0: recovered from a crash, and no poll has named the new history yet */
        uint64_t epochs;    /* named so far */
        struct data data;
        struct tables tables;
        struct snapshot floors[FLOORS_MAX];
        uint8_t floor_count;
        bool crowded;     /* as if many more transactions were open whenever two are: lists of them are cut */
        bool synchronous; /* a commit is acknowledged when the replica has it */
        bool deposed;     /* there is an old primary, which answers reads with `old` */
        struct primary_read old;
};

void primary_begin(struct primary *p, struct world *world, bool synchronous);

/* ---- what clients and chance do; each does nothing where it cannot be done ---- */
void primary_open(struct primary *p);
/* The write's number, or -1. */
int primary_commit(struct primary *p);
void primary_abort(struct primary *p);
void primary_flush(struct primary *p);
void primary_replay(struct primary *p);
void primary_crash(struct primary *p);
void primary_fail_over(struct primary *p);
/* A trigger goes, or comes back. */
void primary_toggle(struct primary *p);
/* One trigger goes, its cell is written to, and it comes back, as when a table is restored from a file. */
void primary_restore(struct primary *p);
/* Touches contained in the snapshot are deleted. */
void primary_clean(struct primary *p, const struct snapshot *older);
/* Touches the cells whose trigger is there and has changed, and records that. */
void primary_resign(struct primary *p);

/* ---- one statement ---- */
void primary_read(const struct primary *p, bool replica, struct primary_read *out);

/* A poll: names a new history if the present one has no name; the cells whose tags were touched by what the snapshot
 * contains and `since` (NULL: nothing is asked) does not. */
struct primary_poll {
        uint64_t epoch;
        struct snapshot snapshot;
        unsigned touched; /* cells */
        unsigned off;     /* cells whose trigger is away */
        unsigned changed; /* cells whose trigger is not the recorded one */
        bool gap;         /* touches after `since` have been cleaned up */
};
void primary_poll(struct primary *p, const struct snapshot *since, struct primary_poll *out);

#endif
