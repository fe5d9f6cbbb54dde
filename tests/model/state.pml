/* state.pml: sizes and the whole state of the polled provider's model.
 *
 * Sets are bit masks. A snapshot is the mask of the transactions that are *finished* in it: PostgreSQL's xmax is one
 * past the newest finished xid and xip names the unfinished ones below, so the mask and (xmin, xmax, xip) say the
 * same, and "P is contained in S" is "no bit of P is missing in S". A state of the data is the mask of the *writes*
 * in it. Writes and transaction ids are kept apart, because a crash can hand the xid of a lost write to the next
 * one. */

#ifndef NODES
#define NODES 1         /* nodes are alike, so the followed read always asks node 0 */
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef POLLS
#define POLLS 3         /* successful polls per life of a node */
#endif
#ifndef RING
#define RING 2          /* snapshots of polls that a node remembers */
#endif
#ifndef TAGS
#define TAGS 1          /* tags of the followed entry; write w touches tag w % TAGS */
#endif
#ifndef BOUND
#define BOUND 1         /* B in ticks: 1 or 2 */
#endif
#ifndef PATIENCE
#define PATIENCE 1      /* a read that waits for more ticks than this is tested as if it had come later */
#endif
#define OLD     (BOUND + PATIENCE)      /* ages stop growing here: no test tells older ones apart */

#if defined(CRASHES) || defined(FAILOVERS)
#define HISTORIES       /* there can be more than one */
#endif

#define BIT(x)          (1 << (x))
#define LACKS(s, p)     ((p) & ~(s))            /* the bits of p that s has not */
#define TRAILING(m)     ((m) & ~((m) + 1))      /* xids below the oldest unfinished one: (xmin, xmin, {}) */
#define UPTO(m)         ((m) & 32 -> 63 : ((m) & 16 -> 31 : UPTO_4(m)))         /* xids below xmax */
#define UPTO_4(m)       ((m) & 8 -> 15 : ((m) & 4 -> 7 : ((m) & 2 -> 3 : (m) & 1)))
#define STRANGER        128                     /* in a value: never of this database and definition */
#define OTHER_DATABASE  15                      /* an epoch that is not ours */
#define ALL_XIDS        63

/* ---- discrete time: it never ends, so the state holds ages in ticks, not times ---- */
byte aged[BOUND];               /* aged[i]: writes that were visible i + 1 ticks ago */
byte lost_aged[BOUND];          /* the same for writes that a crash or fail-over has taken back */

/* ---- the primary ---- */
byte next_w, next_x;
byte xid_of[WRITES];
byte running;                   /* writes whose transaction is open */
byte fin;                       /* finished xids: the snapshot that a statement gets now */
byte vis;                       /* visible writes: the data that a statement gets now */
byte lost;                      /* writes that were visible once and are no part of the present history */
byte touched[TAGS];             /* visible rows of vc_touch: xids per tag */
byte gone;                      /* vc_floor, a snapshot: rows of xids in it may have been cleaned up */
byte incarnation = 1;           /* vc_epoch; 0 is "none" */
bit alive = 1;                  /* vc_alive (UNLOGGED) holds the same incarnation */
byte last_incarnation = 1;      /* uuids are never drawn twice */
#ifdef TRIGGERS
bit trigger_on = 1;
byte signature;                 /* of the triggers, from the catalogs: changes with every ALTER */
byte recorded;                  /* the signature that polls have taken notice of, a row in the database */
#endif
byte token_epoch[WRITES];       /* epoch in the write's token; 0: no token was issued */

/* what is safe on disk; crash and fail-over go back to it, replicas follow it */
typedef image {
        byte fin;
        byte vis;
        byte touched[TAGS];
        byte incarnation = 1;
};
image disk, replica, nothing;

/* ---- nodes ---- */
typedef poll {
        bit out;                /* sent, and not yet answered */
        byte sent;              /* ticks since it was sent */
        bit before_poison;      /* it was sent before the poison was set */
        byte snapshot;
        byte epoch;
        byte floor;
        byte tags;              /* mask of touched tags */
#ifdef TRIGGERS
        bit trigger_off;
        byte signature;
#endif
#ifdef PEERS
        byte peer_life;         /* of another node's reply: its life, position, age of certificate */
        byte peer_pos;
        byte peer_age;
#endif
};
typedef node {
        byte epoch;             /* 0: has never polled */
        byte pos;               /* number of the last successful poll */
        byte first;             /* the first poll of this epoch; older snapshots belong to another history */
        byte ring[POLLS + 1];
        byte floor;             /* vc_floor when this epoch's touches were loaded */
        byte slots[TAGS];
        byte certificate = OLD; /* ticks since the last successful poll was sent */
        byte poison;            /* xid + 1 of an own write with unknown outcome */
        byte knows;             /* writes hinted or of unknown outcome: reads owe them without delay */
#ifdef TRIGGERS
        byte signature;
#endif
#ifdef PEERS
        byte life;              /* drawn at start: positions belong to it */
        byte peer_life;
        byte peer_pos;
#endif
        poll p;
};
node n[NODES];

/* ---- the followed entry: where it is and its stamp ---- */
#define NOWHERE  0
#define FILLED   1              /* read or checked, and on its way to a node */
#define IN_L2    2
#define IN_L1    3
typedef entry {
        byte at;
        byte holder;            /* the node that fetches or has it */
        bit primary;            /* the statement ran on the primary */
        bit after;              /* it was sent after the waiting read's invocation */
        bit other_def;
        byte epoch;
        byte snapshot;
        byte value;
        byte as_of;
};
entry e;

/* ---- the followed read ---- */
typedef request {
        bit waiting;
        byte now;               /* ticks since the time that the node's test takes for the present */
        byte must;              /* writes that the answer owes, unless the database loses them meanwhile */
        byte forbidden;             /* writes that it may not contain */
        byte token;             /* write + 1 of GET ... AFTER token; 0: none */
};
request r;

byte iw, it, ik, im;            /* loop variables of atomic steps, and the verdict on an answer: 0 between the steps */
bit stale, rolled_back, phantom, token_broken;
