/* Which names a log of marks holds, asked within bounded memory: as many parts of the log as fit are loaded at a time,
 * and who asks comes again with all questions for the next ones. Not thread-safe: one owner. */
#ifndef CLI_MARK_SET_H
#define CLI_MARK_SET_H

#include "cli/mark_log.h"

enum mark_answer { MARK_NOT_LOADED, MARK_ABSENT, MARK_PRESENT };

struct mark_set;

/* Borrows the log, to which nothing may be added until the set is destroyed. `memory`: bytes for what is loaded; a
 * single part is loaded even if it needs more. ERR_NOMEM; *out is NULL then. */
enum err mark_set_create(struct mark_set **out, const struct mark_log *log, size_t memory) MUST_CHECK;
void mark_set_destroy(struct mark_set **set);

/* Loads the next parts in place of those loaded; *loaded is false when there are no more. ERR_IO, ERR_NOMEM. */
enum err mark_set_next(struct mark_set *set, bool *loaded, struct err_msg *msg) MUST_CHECK;

/* Whether the log holds a mark of this name. Two names are told apart by 72 bits of their hashes: with ten million
 * names on both sides one is taken for another with a chance of about 1 to 50 million. */
enum mark_answer mark_set_ask(const struct mark_set *set, const struct mark *mark);

#endif
