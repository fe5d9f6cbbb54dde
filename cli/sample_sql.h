/* The made-up school population as SQL for the schema of conf/schemas/white-cross.sql. */
#ifndef CLI_SAMPLE_SQL_H
#define CLI_SAMPLE_SQL_H

#include "base/err.h"
#include "cli/sample.h"

#include <stdio.h>

/* Writes a script for psql that fills the schema's empty tables, in one transaction: the students of the same plan's
 * CSV files and what those say of them, their schools, users, and what happened at school until the day on which the
 * script is run. The same plan makes the same bytes. ERR_IO when `out` cannot be written. */
enum err sample_sql_write(FILE *out, const struct sample_plan *plan, struct err_msg *msg) MUST_CHECK;

#endif
