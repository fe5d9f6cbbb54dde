/* One row of a Synthea CSV table made into a record, as the server's IMPORT takes it: a msgpack map with `student`,
 * `id` and the record's fields. */
#ifndef IMPORT_IMPORT_ROW_H
#define IMPORT_IMPORT_ROW_H

#include "base/buf.h"
#include "import/import_layout.h"
#include "database/reject.h"

/* Appends the record. Codes and ids stay text, dates as written; what follows from other columns:
 *   id        16 hexadecimal digits over code, start and description (students: the ID), the same at each import
 *   severity  of an allergy: the worst of SEVERITY1 and SEVERITY2; none when neither is given
 *   reactions of an allergy: {code, display, severity} of REACTION1 and REACTION2, where given
 *   status    active when STOP is empty, else inactive (allergies) or resolved (conditions)
 *   kind      of a condition: the word in parentheses that ends a SNOMED CT term: "finding", "disorder", …
 *   system    of a vaccination: CVX; else by its short name (import/code_system.h)
 *   other     the cells that are not empty of columns that the table does not have, by the columns' names
 * What a cell does not say is left out, but for what no row can do without (import_columns.def).
 * ERR_BADVALUE: the row is not imported, *reject says why. ERR_NOMEM and errors of buf_append. *out is then as before.
 * Pure but for *out; any thread. */
enum err import_row_to_record(const struct import_layout *layout, const struct csv_row *row, struct buf *out,
        struct reject *reject) MUST_CHECK;

#endif
