/* One student's records of one table, while a write transaction changes them: a run of keys, with its head
 * (database/lmdb_head.h). Opened, changed record by record, and closed, which writes the head and the index rows. It
 * knows nothing of conditions and tags: those are database/lmdb_change.h's. */
#ifndef DATABASE_LMDB_RUN_H
#define DATABASE_LMDB_RUN_H

#include "database/lmdb_head.h"
#include "database/lmdb_rows.h"
#include "database/lmdb_store.h"

/* Which run. */
struct lmdb_run_place {
        struct slice tenant;
        struct slice student;
        const char *name;                     /* of the table */
        const struct record_table *table;     /* NULL: no longer configured, so not indexed and only to be erased */
        const struct record_condition *where; /* the records that lmdb_run_erase, _any and _hides see; NULL: all */
        bool uncounted;                       /* the record of a student who is merged into another: counts as none */
};

struct lmdb_run {
        struct lmdb_store *store;
        struct lmdb_run_place place;
        struct err_msg *msg;
        struct lmdb_key key; /* of the head; what the records' keys begin with */
        bool found;          /* there is a head, or what a lost one has left: so there may be records */
        struct lmdb_head head;
        struct lmdb_ranks ranks; /* as they are now */
        bool ranks_lost;         /* one of them went with its record: to be found out from the records */
        uint64_t changes;        /* records written or erased so far */
        bool renewed;            /* the head gets this commit's position even if no record has changed */
};

/* Opens the run; `place` is copied, what it points to is borrowed, and so is `msg`. Errors of LMDB: abort the
 * transaction, as after those of all calls here. The writer's thread. */
enum err lmdb_run_open(struct lmdb_run *run, struct lmdb_store *store, const struct lmdb_run_place *place,
        struct err_msg *msg) MUST_CHECK;

/* Writes one record, if it is not there already, equal; *changed says which. An equal record that brings no original
 * keeps the one it has. ERR_BADKEY (with a message) when it would take the place of one whose long id has the same
 * hash. In a dry run nothing is written. */
enum err lmdb_run_put(struct lmdb_run *run, const struct lmdb_row *row, bool *changed) MUST_CHECK;

/* Erases the record of that row; *erased says whether there was one. In a dry run nothing is. ERR_BADKEY as above. */
enum err lmdb_run_erase_row(struct lmdb_run *run, const struct lmdb_row *row, bool *erased) MUST_CHECK;

/* Erases the records but those with a row in `keep` (NULL: all). */
enum err lmdb_run_erase(struct lmdb_run *run, const struct lmdb_rows *keep) MUST_CHECK;

/* Whether there is any record. */
enum err lmdb_run_any(const struct lmdb_run *run, bool *out) MUST_CHECK;

/* Whether one of the rows would take the place of a record that is there and does not meet place.where. */
enum err lmdb_run_hides(const struct lmdb_run *run, const struct lmdb_rows *rows, bool *out) MUST_CHECK;

/* Whether one of the rows would take the place of another record than it is. */
enum err lmdb_run_clashes(const struct lmdb_run *run, const struct lmdb_rows *rows, bool *out) MUST_CHECK;

/* Copies the records of a run that is not open into *rows, to be put into another student's run; to be freed by
 * lmdb_rows_deinit(), whatever comes of it. ERR_CORRUPT when one cannot be read. */
enum err lmdb_run_rows(struct lmdb_store *store, const struct lmdb_run_place *place, struct lmdb_rows *rows) MUST_CHECK;

/* Writes the head and the index rows, if any record has changed. */
enum err lmdb_run_close(struct lmdb_run *run) MUST_CHECK;

/* Instead of closing: erases all of it, and the head and the index rows too. No trace is left. */
enum err lmdb_run_remove(struct lmdb_run *run) MUST_CHECK;

#endif
