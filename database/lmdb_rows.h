/* The rows that a write brings: checked, in normal form, and in the order of their keys, before any transaction. */
#ifndef DATABASE_LMDB_ROWS_H
#define DATABASE_LMDB_ROWS_H

#include "database/lmdb_index.h"
#include "database/original.h"

struct lmdb_row {
        struct slice student;
        struct slice id;
        struct slice map;         /* in normal form (database/record.h); empty for ERASE_ROWS */
        struct original original; /* of no bytes: it brings none */
        uint32_t schema;          /* that the map is of */
        struct lmdb_ranks ranks;  /* its places in the indexes */
        uint32_t at;              /* place among the rows given, from 0 */
};

struct lmdb_rows {
        struct lmdb_row *row; /* by student, then id; no two of one key */
        size_t count;
        struct buf bytes;   /* what maps and originals point to, for IMPORT */
        struct buf rejects; /* struct source_reject, in no order: the rows that do not fit, and twins that differ */
        uint64_t twins;     /* rows that equal an earlier one */
};

/* What rows are made with; it outlives them. */
struct lmdb_row_maker {
        const struct lmdb_schema *schema;
        const struct original_codec *codec;
};

/* Makes the rows of a PUT, IMPORT or ERASE_ROWS (none of other kinds of write). They borrow from `write`. Of two rows
 * of one key the earlier one holds; the other one is a twin, or rejected when it differs. ERR_BADVALUE names what is
 * wrong with the value as a whole; ERR_NOMEM; *out is empty then. Any thread. */
enum err lmdb_rows_make(struct lmdb_rows *out, const struct source_write *write, const struct lmdb_row_maker *maker,
        struct err_msg *msg) MUST_CHECK;

/* No rows yet. */
void lmdb_rows_init(struct lmdb_rows *rows);

/* Frees; the rows are empty then. */
void lmdb_rows_deinit(struct lmdb_rows *rows);

/* Makes the rows of a write and hangs them on it (write->prepared), or says in its status and message why they cannot
 * be made. Any thread. */
void lmdb_rows_prepare(struct source_write *write, const struct lmdb_row_maker *maker);

/* Frees write->prepared; a no-op when there is none. */
void lmdb_rows_release(struct source_write *write);

/* Gives maps and originals their places in rows->bytes, where they stand one behind the other in the order of the
 * rows. */
void lmdb_rows_place(struct lmdb_rows *rows);

/* The row whose record is stored under the key part `record`; NULL when there is none. For rows of one student. */
const struct lmdb_row *lmdb_rows_find(const struct lmdb_rows *rows, struct slice record);

#endif
