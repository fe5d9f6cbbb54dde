/* The lines of JSON that vitalcache itself writes, read back as rows (import/row_json.h writes them):
 *
 *      {"table": "allergies", "row": {"student": "42", "id": "7", …, "resource": {…}}}     exports, rejects files
 *      {"table": "allergies", "columns": ["START", …], "cells": ["2020-01-01", …]}         rejects files
 *      {"table": "allergies", "columns": ["START", …], "text": "2020-01-01,…"}             rejects files
 */
#ifndef IMPORT_IMPORT_OWN_H
#define IMPORT_IMPORT_OWN_H

#include "import/import_names.h"
#include "import/json_part.h"
#include "database/reject.h"

enum import_own_kind { IMPORT_OWN_NONE, IMPORT_OWN_ROW, IMPORT_OWN_CELLS };

/* Which of them the value is, by its members. Pure; any thread. */
enum import_own_kind import_own_kind(struct slice value);

/* Appends the row of a line of the kind IMPORT_OWN_ROW: its `resource` becomes JSON text, as it was written; all else
 * is as it is. *table is its table. ERR_BADVALUE: it is not such a line, *reject says why. ERR_NOMEM. *out is as before
 * after any error. */
enum err import_own_row(const struct json_part *line, struct import_names *names, const char **table, struct buf *out,
        struct reject *reject) MUST_CHECK;

/* A line of the kind IMPORT_OWN_CELLS. */
struct import_own_cells {
        struct slice value;
        struct slice prefix; /* put before the student's id; may be empty */
        struct slice today;  /* as in struct import_layout */
};

/* The same for it: a row of a CSV file, or the text of one, mapped as import_row_to_record does. */
enum err import_own_cells(
        const struct import_own_cells *line, const char **table, struct buf *out, struct reject *reject) MUST_CHECK;

#endif
