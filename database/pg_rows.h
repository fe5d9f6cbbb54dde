/* The rows of a query's result as records, by the ids that they belong to.
 *
 * The column with the subject's name (`student`) says whose a row is and is no field of the record; `valid_until` says
 * how long the id's records are true. Every other column that is not NULL is a field of its name. A row with no field
 * is no record: that is how SQL with an outer join says until when "none" is true. The order is the result's. */
#ifndef DATABASE_PG_ROWS_H
#define DATABASE_PG_ROWS_H

#include "base/buf.h"

#include <libpq-fe.h>

enum { PG_ROW_NONE = UINT32_MAX };

struct pg_row {
        size_t at; /* of its record in `records` */
        size_t len;
        uint32_t next; /* the same id's next; PG_ROW_NONE: it is the last */
};

/* One id's. */
struct pg_rows_of {
        uint32_t first; /* record; PG_ROW_NONE: no records */
        uint32_t last;
        bool seen;     /* the result has a row of it, if only one without fields */
        bool damaged;  /* a row of it cannot be read: nothing can be said of this id */
        int64_t until; /* the least of its valid_until, in microseconds since 1970; INT64_MAX: for ever */
};

struct pg_rows {
        struct buf records; /* msgpack maps */
        struct pg_row *rows;
        uint32_t row_count;
        uint32_t row_room;
        struct pg_rows_of *of; /* by the id's place among the ids */
        size_t last_place;     /* of the row that was taken last */
        bool limited;          /* the result has a column valid_until: nothing is true for ever */
        bool damaged;          /* of some id */
        bool strange;          /* there are rows of ids that were not asked for */
        struct buf other;      /* one of those ids */
        struct buf made;       /* the id of the row that is taken */
};

struct pg_rows_in {
        const char *subject;     /* name of the column; NULL: the first column, and rows have no fields (existence) */
        const struct slice *ids; /* sorted */
        size_t id_count;
};

/* Empty, and needing no deinit until pg_rows_take. */
void pg_rows_init(struct pg_rows *rows);
void pg_rows_deinit(struct pg_rows *rows);

/* Takes the rows of a PGRES_TUPLES_OK. ERR_CORRUPT: it has no such column, or two of one name; ERR_NOMEM. On failure
 * *rows only can be deinited. One owner; keeps nothing of `result`. */
enum err pg_rows_take(struct pg_rows *rows, const struct pg_rows_in *in, const PGresult *result) MUST_CHECK;

/* The record of a row. */
static inline struct slice pg_rows_record(const struct pg_rows *rows, uint32_t row)
{
        return slice_of(rows->records.data + rows->records.start + rows->rows[row].at, rows->rows[row].len);
}

#endif
