/* A header line that has been understood: which table the rows of a file are of, and where each of its columns is. */
#ifndef IMPORT_IMPORT_LAYOUT_H
#define IMPORT_IMPORT_LAYOUT_H

#include "import/import_table.h"

enum { LAYOUT_COLUMNS_MAX = 32, LAYOUT_NONE = -1 };

/* Cells that several forms use. */
enum import_cell {
        CELL_CODE,
        CELL_DESCRIPTION,
        CELL_START,
        CELL_STOP,
        CELL_DATE,
        CELL_REACTION1,
        CELL_DESCRIPTION1,
        CELL_SEVERITY1,
        CELL_REACTION2,
        CELL_DESCRIPTION2,
        CELL_SEVERITY2,
        CELL_COUNT
};

struct import_layout {
        enum import_kind kind;
        const struct import_column *columns; /* of the table */
        size_t column_count;
        int places[LAYOUT_COLUMNS_MAX];         /* of each of `columns` in a row; LAYOUT_NONE: not in this file */
        int cells[CELL_COUNT];                  /* likewise */
        size_t count;                           /* columns of the file */
        char *names[CSV_READER_FIELDS_MAX];     /* in capitals; owned */
        uint16_t others[CSV_READER_FIELDS_MAX]; /* places of the columns that the table does not have */
        size_t other_count;
        struct slice prefix; /* put before every student's id; borrowed, may be empty */
        struct slice
                today; /* YYYY-MM-DD: what ends later has not ended; borrowed. Empty: whatever has an end has ended */
};

/* Reads a header line. ERR_BADVALUE: a column is named twice, or it is not UTF-8 text. ERR_NOMEM. *out has its names
 * only, and no table, yet. On failure it is empty. */
enum err import_layout_init(struct import_layout *out, const struct csv_row *header, struct err_msg *msg) MUST_CHECK;
void import_layout_deinit(struct import_layout *layout);

/* Decides for the table. */
void import_layout_bind(struct import_layout *layout, enum import_kind kind);

/* Where the column `name` (in capitals) is in a row; LAYOUT_NONE. */
int import_layout_place(const struct import_layout *layout, const char *name);

/* The name of a column in a literal, for the ones that tables have. */
const char *import_layout_cell_name(enum import_cell cell);

#endif
