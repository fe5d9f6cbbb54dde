/* The history checker: did every reply keep the promise of docs/FRESHNESS.md?
 *
 * A history is what the writers did to each key and what the readers were answered, with times of one clock. A key is a
 * register that goes through *steps*, one for each commit, told in the order of the commits (each key has one writer,
 * which begins a write when it knows what became of the one before). When exactly a step came true nobody can say: at
 * some moment from `begin`, when the writer began, to `acked`, when it learnt of it. A step is over when a later one
 * has come true.
 *
 * A reply is right when it shows a step that can have been true at some moment between its invocation, less the
 * bound, and its return. That is the whole promise, and so the whole test; what follows from it needs no rule more:
 *   - older than a write acknowledged before the invocation less the bound; "none recorded" where there was something;
 *   - never written (phantom), taken back (aborted, or lost in a crash), not yet begun;
 *   - the order of replies: one that showed a step proves that this step had come true by its return, as an
 *     acknowledgement does. A reply whose invocation less the bound is later may show no earlier step. With B = 0 these
 *     are monotonic reads over all clients; with B > 0 no more is promised than this.
 *   - AFTER a token: not a step before the token's write, however large the bound.
 *   - two parts of one reply that show different steps.
 * Beside the promise: a reply later than its deadline, and an error that nothing explains. */
#ifndef TESTS_FAULTS_CHECKER_H
#define TESTS_FAULTS_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEVER INT64_MAX /* a time that has not come */

/* What a key holds, and what a reply shows of it. The versions of a key are numbers, each written once. */
enum shown_kind {
        SHOWN_NOBODY, /* nil: no such student; has no version */
        SHOWN_NONE,   /* the student is known, nothing is recorded; a reply may leave the version 0: not told */
        SHOWN_ROWS,   /* the student is known, and rows of this version are recorded */
        SHOWN_KNOWN,  /* replies only: the student is known; rows were not asked for, and the version is not told */
        SHOWN_MIXED   /* replies only: parts of one reply have different versions */
};

struct shown {
        enum shown_kind kind;
        uint64_t version;
};

enum outcome {
        COMMITTED,
        ABORTED, /* it never came true */
        UNKNOWN  /* it came true at some moment from `begin` on, or never */
};

struct step {
        struct shown shown;
        int64_t begin, acked; /* nanoseconds; acked: NEVER unless committed */
        enum outcome outcome;
        bool reverted; /* the database went back (commits were lost, a dump was restored): the writes before are gone */
};

enum reply {
        REPLY_VALUE,
        REPLY_UNAVAILABLE,
        REPLY_BUSY,
        REPLY_EPOCH, /* right for reads AFTER a token only */
        REPLY_OTHER, /* an error that a correct command never gets */
        REPLY_LOST   /* the connection broke: nothing was answered */
};

struct read {
        uint32_t key;
        enum reply reply;
        struct shown shown;
        int64_t invoked, returned;
        int64_t bound;
        uint64_t after; /* the token's version; 0: none */
};

/* FITTING: no violation. */
enum violation {
        FITTING,
        STALE,      /* older than promised */
        FALSE_NONE, /* nil or "none recorded" that is older than promised */
        PHANTOM,    /* never written */
        TAKEN_BACK, /* aborted, or lost too long ago */
        FUTURE,     /* its writer had not begun when the reply came */
        BEFORE_TOKEN,
        MIXED,
        LATE,
        UNEXPECTED,
        VIOLATION_COUNT
};

struct checker;

/* A checker of `keys` keys, with no steps: a read of any fits nothing. `deadline` (nanoseconds) is what a request may
 * take at most. False: no memory. */
bool checker_create(struct checker **out, uint32_t keys, int64_t deadline);
void checker_destroy(struct checker **checker);

/* Adds the next step of `key`. False, and nothing added: it cannot be (it begins before the one before it, or is
 * acknowledged before its beginning, or out of order), or there is no memory. */
bool checker_step(struct checker *c, uint32_t key, const struct step *step);

/* The nodes stood still (SIGSTOP) from `from` to `to`: this is no time that a request may be late by. False: no
 * memory. */
bool checker_pause(struct checker *c, int64_t from, int64_t to);

/* All reads of the history, first this for each of them, after all steps: what a reply shows has come true. */
void checker_witness(struct checker *c, const struct read *read);

/* Then this for each. The first violation that applies. */
enum violation checker_judge(struct checker *c, const struct read *read);

/* "stale" … of a violation. */
const char *violation_name(enum violation violation);

/* "0 in N reads, 95 % upper limit 3/N" of `count` violations in `reads`, into text of 160 bytes at least. */
void checker_summary(uint64_t count, uint64_t reads, char *text, size_t size);

#endif
