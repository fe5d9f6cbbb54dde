/* Putting what vitalcache needs into a PostgreSQL database, and taking it out: the schema `vitalcache` with its
 * functions (pg_setup.sql), the triggers on the tables that record types name (pg_triggers.sql), the rights of a role.
 *
 * One transaction; either all of it is there afterwards, or nothing has changed. What is there already is not touched:
 * a second run changes nothing. The tables are locked all at once and only for a moment: when that cannot be had, it is
 * given back and tried again, so that no writer waits long behind it and none is a deadlock's victim because of it. */
#ifndef DATABASE_PG_SETUP_H
#define DATABASE_PG_SETUP_H

#include "database/pg_admin.h"
#include "database/pg_check.h"
#include "database/record_type.h"

#define PG_SETUP_VERSION "2" /* of what the scripts make, as vc_version has it */

struct pg_setup {
        const struct record_types *types;
        const struct pg_check *check; /* of these types; the views that it found are watched, too. NULL: none are */
        const char *role;             /* of the nodes, gets the rights they need; NULL: none */
        bool event_trigger;           /* cover new partitions by themselves; needs a superuser */
        uint32_t tries;               /* to lock the tables, a tenth of a second apart; at least 1 */
};

/* Sets up. ERR_CONFIG: a relation or column that is not there or cannot be watched (with its place in the files), an
 * unknown role; ERR_VERSION: a newer release of vitalcache has set up;
 * ERR_BUSY: a table's lock was not to be had; else as pg_admin_ask. */
enum err pg_setup_run(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg) MUST_CHECK;

/* Removes all of it; nothing is left. Fine when there is nothing. Errors as pg_setup_run. */
enum err pg_setup_teardown(struct pg_admin *admin, uint32_t tries, struct err_msg *msg) MUST_CHECK;

/* Tells, one call each, what is not in order: a relation (or a role's right) and what is wrong with it. `setup` may say
 * what is wanted (types, role). ERR_NOTFOUND: nothing is set up here. */
typedef void (*pg_setup_problem_fn)(void *context, const char *where, const char *problem);
enum err pg_setup_check(struct pg_admin *admin, const struct pg_setup *setup, pg_setup_problem_fn problem,
        void *context, struct err_msg *msg) MUST_CHECK;

#endif
