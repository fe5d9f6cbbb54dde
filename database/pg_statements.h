/* Which statements a session has prepared: a small table, the least recently used one makes room.
 *
 * It plans, before an exchange is sent, how each step is to run: by a prepared statement that is there, by one
 * that is prepared in the same exchange just before, or unnamed. What has been evicted is deallocated at the front of
 * the next exchange. The difficulty is what a failure skips: after one, PostgreSQL passes over everything up to the
 * next Sync, preparations as well. So a statement counts as prepared only after its preparation was seen to succeed; a
 * later use in the same exchange may rely on an unconfirmed one only within the same stretch between Syncs (there both
 * run or both are skipped) and is unnamed otherwise.
 *
 * Looked up by walking all: there are some tens of them, of 56 bytes each. Not thread-safe: the session's owner. */
#ifndef DATABASE_PG_STATEMENTS_H
#define DATABASE_PG_STATEMENTS_H

#include "base/err.h"
#include "base/hash.h"

struct pg_statements;

enum pg_use_kind { PG_USE_UNNAMED, PG_USE_PREPARED, PG_USE_PREPARE };

struct pg_use {
        enum pg_use_kind kind;
        uint32_t number; /* of the prepared statement; never used twice in a session. 0 when unnamed */
};

/* A table for at most `most` statements (0: all are unnamed). ERR_NOMEM. */
enum err pg_statements_create(struct pg_statements **out, uint32_t most) MUST_CHECK;

/* Frees. NULL-safe. */
void pg_statements_destroy(struct pg_statements **statements);

/* The session is a new one: nothing is prepared. */
void pg_statements_clear(struct pg_statements *statements);

/* A new exchange is planned; what it uses is not evicted by it. */
void pg_statements_begin(struct pg_statements *statements);

/* How a step of that exchange runs that stands in its `stretch` (the number of Syncs before it). */
struct pg_use pg_statements_use(struct pg_statements *statements, struct hash128 id, uint32_t stretch);

/* The preparation of `number` has succeeded. Unknown numbers are ignored. */
void pg_statements_confirm(struct pg_statements *statements, uint32_t number);

/* Statement `number` is not to be used again: its preparation failed or was skipped (`there` false), or its plan is
 * stale, or the session lost it (`there` true: it is deallocated, should it exist). Unknown numbers are ignored. */
void pg_statements_forget(struct pg_statements *statements, uint32_t number, bool there);

/* Takes one number that is to be deallocated; 0 when there is none. */
uint32_t pg_statements_evicted(struct pg_statements *statements);

/* How many are prepared or about to be. */
uint32_t pg_statements_count(const struct pg_statements *statements);

#endif
