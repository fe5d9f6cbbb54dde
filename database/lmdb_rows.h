/* The rows that a write brings: checked, in normal form, and in the order of their keys, before any transaction. */
#ifndef DATABASE_LMDB_ROWS_H
#define DATABASE_LMDB_ROWS_H

#include "database/lmdb_source.h"

struct lmdb_row {
        struct slice student;
        struct slice id;
        struct slice map; /* in normal form (database/record.h) */
        size_t at;        /* place among the rows given: of two rows of one key the later one holds */
};

struct lmdb_rows {
        struct lmdb_row *row; /* by student, then id, then place */
        size_t count;
        struct buf bytes; /* what maps point to, for IMPORT */
};

/* Makes the rows of a PUT or IMPORT (none of other kinds of write). They borrow from `write`. ERR_BADVALUE names the
 * row and what is wrong; ERR_NOMEM; *out is empty then. Any thread. */
enum err lmdb_rows_make(struct lmdb_rows *out, const struct source_write *write, const struct lmdb_schema *schema,
        struct err_msg *msg) MUST_CHECK;

/* Frees; the rows are empty then. */
void lmdb_rows_deinit(struct lmdb_rows *rows);

/* The row whose record is stored under the key part `record`; NULL when there is none. For rows of one student. */
const struct lmdb_row *lmdb_rows_find(const struct lmdb_rows *rows, struct slice record);

#endif
