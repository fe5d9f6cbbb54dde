/* The tables of Synthea's CSV files that are imported, and how a header line is found to be one of them: by its
 * columns, as these have come and gone between Synthea's versions (import/import_columns.def). */
#ifndef IMPORT_IMPORT_TABLE_H
#define IMPORT_IMPORT_TABLE_H

#include "import/csv_reader.h"

enum import_kind {
        IMPORT_students,
        IMPORT_allergies,
        IMPORT_conditions,
        IMPORT_vaccinations,
        IMPORT_visits,
        IMPORT_KIND_COUNT
};

enum import_form {
        FORM_STUDENT,
        FORM_ID,
        FORM_TEXT,
        FORM_SYSTEM,
        FORM_DATE,
        FORM_INSTANT,
        FORM_GENDER,
        FORM_ZIP,
        FORM_RECORD_ID,
        FORM_SEVERITY,
        FORM_REACTIONS,
        FORM_STATUS,
        FORM_KIND,
        FORM_CVX,
        FORM_PART
};

enum import_need { NEED_KEY, NEED_HEADER, NEED_OPTIONAL, NEED_COMPUTED };

struct import_column {
        enum import_kind kind;
        const char *column;
        const char *field;
        enum import_form form;
        enum import_need need;
};

/* The rows of import_columns.def, those of one table together. Constant; any thread. */
const struct import_column *import_table_columns(enum import_kind kind, size_t *count);

/* The table's name in the server ("vaccinations"). A literal. */
const char *import_table_name(enum import_kind kind);

/* The table of a server's name; false when it is none of these. */
bool import_table_named(struct slice name, enum import_kind *out) MUST_CHECK;

/* What the rows of a file look like: the old allergies and conditions have the same columns. */
struct import_sample {
        unsigned rows;
        unsigned allergies;  /* that speak of an allergy */
        unsigned conditions; /* that have the words of a diagnosis */
};

/* Counts a row by its description. */
void import_table_sample(struct import_sample *sample, struct slice description);

/* The names of a header line, in capitals. */
struct import_header {
        const char *const *names;
        size_t count;
};

/* Whether a file whose header line cannot be understood may be of one of the tables all the same: by the name of the
 * file `path`, or by what its first line speaks of. Pure; any thread. */
bool import_table_may_be(const char *path, struct slice first_line);

/* The table that has these columns. Where two have, the name of the file `path` decides ("allerg", "condition"), or the
 * rows: a file named after conditions is believed only while its rows do not speak of allergies, as those would be
 * missed. ERR_NOTFOUND: it is a table of Synthea's that is not kept, or has no rows to decide by. ERR_NOTYPE: no table
 * has these columns. ERR_BADVALUE: a table's columns are not all there, named one by one; or it cannot be told which of
 * two tables it is. Pure; any thread. */
enum err import_table_find(const struct import_header *names, const char *path, const struct import_sample *sample,
        enum import_kind *out, struct err_msg *msg) MUST_CHECK;

#endif
