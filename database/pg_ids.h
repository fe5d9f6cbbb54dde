/* The ids that a query is asked for, and their form as PostgreSQL's array. Pure; any thread. */
#ifndef DATABASE_PG_IDS_H
#define DATABASE_PG_IDS_H

#include "base/buf.h"

/* Sorts the ids and drops the second of equal ones; returns how many are left. */
size_t pg_ids_sort(struct slice *ids, size_t count);

/* The place of `id` among sorted ones; `count` when it is not there. */
size_t pg_ids_find(const struct slice *ids, size_t count, struct slice id);

/* The same where it is likely to be at `last` or right behind it. */
size_t pg_ids_find_next(const struct slice *ids, size_t count, struct slice id, size_t last);

/* Appends the array literal, terminated: {"42","a \"quoted\" one"}. Every id is in quotes, so that none can be taken
 * for anything else (NULL, a brace, a comma). Errors as buf_append. */
enum err pg_ids_put(struct buf *out, const struct slice *ids, size_t count) MUST_CHECK;

/* Whether a column of that type (enum pg_type; 0: not known) can hold the id at all: *possible. ERR_BADKEY when it
 * could, but the database would show it in another form, which *msg names. */
enum err pg_id_check(uint32_t column_type, struct slice id, bool *possible, struct err_msg *msg) MUST_CHECK;

#endif
