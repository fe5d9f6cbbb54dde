/* A simulated node: the real freshness core, an L1, fills in flight that reads join, reads that are served in steps,
 * and the polls of a polled source. What nodes share is an L2 that returns any entry it was ever given. */
#ifndef TESTS_SIM_NODE_H
#define TESTS_SIM_NODE_H

#include "invalidation/fill_rule.h"
#include "invalidation/freshness.h"
#include "tests/sim/embedded.h"
#include "tests/sim/primary.h"

enum { NODES = 2, KEYS = 3, FILLS_MAX = 4, READS_MAX = 6, L2_MAX = 12 };

struct entry {
        uint64_t def;
        uint64_t epoch;
        struct snapshot snapshot;
        struct position as_of; /* each node's own; not shared by L2 */
        struct nanos expires;
        bool replica; /* read there */
        struct data data;
};

struct l2 {
        struct entry entries[L2_MAX];
        uint8_t keys[L2_MAX];
        uint32_t count; /* ever stored; the newest L2_MAX are kept */
};

/* What a schedule is about; drawn from its seed. */
struct setup {
        bool polled;
        bool synchronous; /* polled: commits wait for a synchronous replica */
        uint32_t slots;
        uint32_t polls_kept;
        int64_t bound; /* polled: of half of the reads; 0: of the others, and of all with an embedded source */
        int64_t ttl;
        uint32_t after_percent;   /* of reads */
        uint32_t replica_percent; /* of fills */
        uint32_t l2_percent;      /* of L1 misses that look there */
};

struct source_side {
        struct setup setup;
        struct world *world;
        struct primary primary;
        struct embedded embedded;
        struct l2 l2;
};

enum read_state { READ_FREE, READ_INVOKED, READ_UNDER_WAY, READ_WAITING };
struct read {
        enum read_state state;
        unsigned key;
        struct nanos invoked;
        struct nanos bound;
        int64_t hinted;            /* a hint of a write committed then had arrived before the invocation */
        const struct write *after; /* GET … AFTER its token; NULL: none */
        unsigned fill;             /* READ_WAITING */
        bool prove;                /* its next fill brings a heartbeat of its own */
};

enum fill_state { FILL_FREE, FILL_QUEUED, FILL_SENT, FILL_EXECUTED };
struct fill {
        enum fill_state state;
        unsigned key;
        bool beat; /* it commits, and waits for the synchronous replica */
        struct fill_origin origin;
        struct entry entry;
};

enum poll_state { POLL_NONE, POLL_SENT, POLL_EXECUTED };
struct poll {
        enum poll_state state;
        struct position number;
        struct nanos sent;
        bool has_since;
        struct snapshot since;
        struct primary_poll reply;
        bool at_old;     /* its connection leads to a deposed primary */
        bool resign;     /* the last one saw a table to be signed anew */
        bool has_failed; /* for FAILED_POLL_COUNTS: what the last poll that was given up had seen */
        struct snapshot failed;
};

struct node {
        const char *name;
        struct source_side *side;
        struct freshness *freshness;
        uint64_t def;
        bool publishing; /* its publisher is between two stores */
        bool in_l1[KEYS];
        struct entry l1[KEYS];
        struct read reads[READS_MAX];
        struct fill fills[FILLS_MAX];
        struct poll poll;
        int64_t hinted[CELLS]; /* when the newest write was committed of which a hint has arrived */
};

void node_begin(struct node *n, const char *name, struct source_side *side, uint64_t def);
void node_end(struct node *n);

/* ---- steps; each does nothing where it cannot be done ---- */
void node_invoke(struct node *n);    /* a read arrives, perhaps AFTER a token */
void node_serve(struct node *n);     /* a read that has arrived looks at L1 and L2, else joins or starts a fill */
void node_fill(struct node *n);      /* a fill is sent, executed or delivered */
void node_poll(struct node *n);      /* the poll is sent, executed or delivered */
void node_lose_poll(struct node *n); /* the poll's time-out passes */
void node_clean(struct node *n);     /* what its last poll contained need not be kept */
void node_evict(struct node *n);
/* A hint of a write committed at `committed` (0: forged). */
void node_hint(struct node *n, unsigned cells, int64_t committed);
/* The process ends and starts again; embedded source only. */
void node_restart(struct node *n);

/* The checks of tests/sim/reply.c: what a read is answered with, against the promise. `cached`: freshness_check let it
 * through. */
void node_reply(struct node *n, const struct read *read, const struct entry *entry, bool cached);

unsigned node_cells_of_key(unsigned key);

#endif
