/* The tables of Synthea's CSV files that are imported, and how a file is found to be one of them: by its header line,
 * as columns have come and gone between Synthea's versions (database/import_columns.def). */
#ifndef DATABASE_IMPORT_TABLE_H
#define DATABASE_IMPORT_TABLE_H

#include "database/csv_reader.h"

enum import_kind { IMPORT_students, IMPORT_allergies, IMPORT_conditions, IMPORT_vaccinations, IMPORT_KIND_COUNT };

enum import_form {
        FORM_ID,
        FORM_TEXT,
        FORM_DATE,
        FORM_INSTANT,
        FORM_GENDER,
        FORM_ZIP,
        FORM_RECORD_ID,
        FORM_SEVERITY,
        FORM_REACTIONS,
        FORM_STATUS,
        FORM_KIND,
        FORM_CVX
};

enum import_need { NEED_REQUIRED, NEED_OPTIONAL, NEED_COMPUTED };

struct import_column {
        enum import_kind kind;
        const char *column;
        const char *field;
        enum import_form form;
        enum import_need need;
};

/* The rows of import_columns.def, those of one table together. Constant; any thread. */
const struct import_column *import_table_columns(enum import_kind kind, size_t *count);

/* The table's name in the server ("vaccinations") and in Synthea ("immunizations"). Literals. */
const char *import_table_name(enum import_kind kind);
const char *import_table_synthea_name(enum import_kind kind);

/* A header line that has been understood. */
struct import_layout {
        enum import_kind kind;
        size_t count;                       /* columns in the file */
        char *names[CSV_READER_FIELDS_MAX]; /* in capitals; owned */
};

/* Reads the header line of the file `path`. The old allergies and conditions have the same columns: there the file's
 * name decides ("allerg", "condition"). ERR_NOTFOUND: the columns fit none of the tables. ERR_BADVALUE: a column is
 * named twice, the header is not text, or name and columns leave it open. ERR_NOMEM. *out is empty then. */
enum err import_layout_init(
        struct import_layout *out, const struct csv_row *header, const char *path, struct err_msg *msg) MUST_CHECK;
void import_layout_deinit(struct import_layout *layout);

/* The place of the column `name` (in capitals) in each row; false when the file has none. */
bool import_layout_find(const struct import_layout *layout, const char *name, size_t *index) MUST_CHECK;

#endif
