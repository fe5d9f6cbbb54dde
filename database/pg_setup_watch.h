/* The lines of vc_watch that record types and the views behind them ask for; a part of pg_setup*.c. */
#ifndef DATABASE_PG_SETUP_WATCH_H
#define DATABASE_PG_SETUP_WATCH_H

#include "base/buf.h"
#include "database/pg_setup.h"

/* Makes vc_watch what the types ask for. A line that goes ends the epoch: nodes that still rely on it look at all anew.
 * ERR_CONFIG with the place in the files: no such relation or column, or none that can be watched. */
enum err pg_setup_watch(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg) MUST_CHECK;

/* Appends them as a query of the columns (relation, table_name, subject, column_name). Errors as pg_setup_watch. */
enum err pg_setup_wanted(
        struct pg_admin *admin, const struct pg_setup *setup, struct buf *out, struct err_msg *msg) MUST_CHECK;

#endif
