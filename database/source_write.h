/* One write to the source of truth (database/source.h): what it is, and what came of it. */
#ifndef DATABASE_SOURCE_WRITE_H
#define DATABASE_SOURCE_WRITE_H

#include "base/buf.h"
#include "base/list.h"
#include "database/record_type.h"
#include "database/reject.h"
#include "database/snapshot.h"
#include "database/tag.h"

enum source_write_kind {
        WRITE_PUT,           /* one key's records, all of them */
        WRITE_ERASE,         /* one key's records */
        WRITE_ERASE_STUDENT, /* everything about a student: no trace of the id is left */
        WRITE_ERASE_ROWS,    /* single records of a table */
        WRITE_TOUCH,         /* nothing but tags */
        WRITE_IMPORT         /* records of a table, of any students, added or replaced one by one */
};

enum source_condition { IF_FORCE, IF_NEW, IF_UNCHANGED };

/* A row that an IMPORT has left out. */
struct source_reject {
        uint32_t row; /* its place in the list, from 0 */
        struct reject reject;
};

/* The caller owns it and all it points to until `done`. */
struct source_write {
        struct list link; /* the source's, while it is under way */
        void *prepared;   /* likewise */
        enum source_write_kind kind;
        struct slice tenant;
        const struct record_type *type;   /* PUT, ERASE */
        const struct record_table *table; /* IMPORT, ERASE_ROWS */
        struct slice id;                  /* PUT, ERASE, ERASE_STUDENT */
        /* PUT: what record_normalise() made of the client's value.
         * IMPORT: msgpack list of rows that has passed value_check(). Rows that do not fit (record_from_row()), whose
         * student is not recorded, or that differ from an earlier row of the same student and id, are left out; the
         * others go in.
         * ERASE_ROWS: msgpack list of maps {student, id} that has passed value_check(). */
        struct slice value;
        bool dry_run;                    /* IMPORT, ERASE_ROWS: check and count, and write nothing */
        enum source_condition condition; /* PUT, ERASE */
        struct position unchanged_since; /* IF_UNCHANGED: no commit after it touched this key's records */
        const struct tag *tags;          /* TOUCH */
        size_t tag_count;
        struct buf *touched; /* NULL, or where PUT, ERASE, ERASE_ROWS and IMPORT leave the students whose records in
                                the table they changed, and ERASE_STUDENT the other ids that were merged into its own:
                                source_touched_next() */
        struct buf *rejects; /* NULL, or where IMPORT leaves what it left out: struct source_reject, by rising row */
        void (*done)(struct source_write *write); /* on the source's own thread */
        void *context;
        /* set before `done`: */
        enum err status; /* OK: durable, and every cached copy is void. CONFLICT, NOSTUDENT, MAP_FULL… BADVALUE for an
                            IMPORT whose value is no list, an ERASE_ROWS whose value is no list of such maps */
        struct err_msg message;
        uint64_t epoch;           /* the history that `position` is one of */
        struct position position; /* OK: of the commit (PostgreSQL: its transaction id), or of the newest when nothing
                                     was to be written. CONFLICT: the newest commit that touched the key */
        uint64_t written;         /* IMPORT: records that are new or changed; ERASE_ROWS: records that were there */
        uint64_t unchanged;       /* IMPORT: records that were there already, equal; ERASE_ROWS: that were not there */
        uint64_t rejected;        /* IMPORT: rows left out */
};

/* Takes the next student off the front of *touched, a slice of all that the buffer holds. False: that was all. Pure. */
bool source_touched_next(struct slice *touched, struct slice *student) MUST_CHECK;

/* Appends a student to the buffer. For sources. Errors as buf_append. */
enum err source_touched_add(struct buf *touched, struct slice student) MUST_CHECK;

#endif
