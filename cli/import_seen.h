/* Which rows of this import came before, exactly, in bounded memory (the essay is in the .c).
 *
 * While the input is read, each row is noted. Most are surely new; of the others it cannot be said yet, and the caller
 * puts them aside. When all has been read, those put aside are settled one by one: the first of its name after all, or
 * one that came before, equal or not. Not thread-safe: one owner. */
#ifndef CLI_IMPORT_SEEN_H
#define CLI_IMPORT_SEEN_H

#include "base/slice.h"
#include "cli/mark_log.h"

struct import_seen;

struct import_seen_config {
        size_t filter_bytes; /* rounded down to 64, at least 64 */
        uint64_t seed;       /* of the hashes; random, so that nobody can write rows that are taken for one another */
};

/* ERR_NOMEM; *out is NULL then. */
enum err import_seen_create(struct import_seen **out, const struct import_seen_config *config) MUST_CHECK;
void import_seen_destroy(struct import_seen **seen);

enum { IMPORT_NAME_MAX = 512 }; /* bytes of a student's id, and of a record's */

/* What a row is called: its table, student and id. */
struct import_name {
        struct slice table;
        struct slice student;
        struct slice id;
};

/* The name of the row `row` (a msgpack map) of a table; borrows from both. In the table "students" the student is the
 * id. False: it has no name, or one that no server takes (only the server says what is wrong with it). */
bool import_name_of(const char *table, struct slice row, struct import_name *out) MUST_CHECK;

/* The mark of a name, and of the row if that is given (not SLICE_EMPTY). The ticket is 0. */
struct mark import_seen_mark(const struct import_seen *seen, const struct import_name *name, struct slice row);

/* The hash of a row but for its student, a text within it: the same for two rows that say the same of two ids. */
uint64_t import_seen_content(const struct import_seen *seen, struct slice row, struct slice student);

/* The mark will be noted soon: what that needs is fetched into the processor's cache meanwhile. */
void import_seen_expect(const struct import_seen *seen, const struct mark *mark);

enum seen_verdict {
        SEEN_NEW,       /* the first of its name; from here on it is one that came */
        SEEN_SAME,      /* an equal row came before */
        SEEN_DIFFERENT, /* another row of the name came before */
        SEEN_PERHAPS    /* to be settled at the end */
};

/* Notes a row while the input is read: *verdict is SEEN_NEW, or SEEN_PERHAPS. ERR_IO, ERR_NOMEM. */
enum err import_seen_note(
        struct import_seen *seen, const struct mark *mark, enum seen_verdict *verdict, struct err_msg *msg) MUST_CHECK;

/* Remembers a row that is SEEN_PERHAPS until it is settled. mark->ticket is the caller's word for it: not 0, and
 * greater than that of the row before. ERR_IO, ERR_NOMEM. */
enum err import_seen_defer(struct import_seen *seen, const struct mark *mark, struct err_msg *msg) MUST_CHECK;

/* Gets what became of the row with the ticket. Any result but OK ends the settling with that result. */
typedef enum err (*import_seen_fn)(void *context, uint64_t ticket, enum seen_verdict verdict);

/* Settles all rows that were deferred, each SEEN_NEW, SEEN_SAME or SEEN_DIFFERENT; rows of one name in the order of
 * their tickets. No row may be noted any more; others may be deferred, and settled by another call. ERR_IO, ERR_NOMEM,
 * or what `visit` returned. */
enum err import_seen_settle(
        struct import_seen *seen, import_seen_fn visit, void *context, struct err_msg *msg) MUST_CHECK;

/* The marks of all rows that came, each name once, when everything is settled. Borrowed. */
const struct mark_log *import_seen_came(const struct import_seen *seen);

#endif
