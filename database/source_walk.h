/* Going through what the source of truth has (database/source.h): along an index, or through all records. Both take
 * short reads one after the other and hold none open while a visitor runs; so what is written while the walk lasts may
 * or may not be met, and a visitor may read and write. */
#ifndef DATABASE_SOURCE_WALK_H
#define DATABASE_SOURCE_WALK_H

#include "database/record_type.h"

/* The students of a table in the order of an index: INDEX_ACTIVITY the latest activity first (those without any are
 * left out), INDEX_SEVERITY the highest status and then severity first. A student stands where the first of its records
 * in that order does. */
enum source_index { INDEX_ACTIVITY, INDEX_SEVERITY };
struct source_scan {
        enum source_index index;
        const struct record_table *table;
        struct slice tenant;
        bool (*visit)(void *context, struct slice student); /* false to stop; the slice is borrowed for the call */
        void *context;
};

/* One record; all slices are borrowed for the call. */
struct source_row {
        struct slice table;
        struct slice student;
        struct slice id;
        struct slice map;      /* in normal form (database/record.h), an older record in the present one */
        struct slice original; /* JSON text of the resource that it came from; empty: it has none */
        struct slice cursor;   /* `after` of a walk that goes on behind this record */
};

/* All records of a tenant, of one of its tables, of one student, or of both. A student's records of a table come
 * together, by their ids, and the students of a table in an order that does not change. */
struct source_walk {
        struct slice tenant;
        const char *table; /* NULL: all tables, configured or not */
        /* Empty: all students. One merged into another stands for that one; without a table, what is recorded of each
         * that was merged into it comes behind: its own record, and the row that says so. */
        struct slice student;
        bool (*wants)(
                void *context, struct slice table); /* without a table: which; the others cost nothing. NULL: all */
        struct slice after; /* a row's cursor; empty: from the start. One of another walk gives other rows, no error */
        enum err (*visit)(void *context, const struct source_row *row); /* not OK: ends the walk, with that result */
        void *context;
};

#endif
