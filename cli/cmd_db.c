/* db: what vitalcached needs of a PostgreSQL database, put there, looked at, and taken away. */
#include "cli/config.h"
#include "cli/report.h"
#include "database/pg_setup.h"

#include <string.h>

enum { TRIES = 16 }; /* about ten seconds of trying to lock the tables */

struct db {
        struct cli *cli;
        const char *dsn;
        struct pg_admin admin;
        struct pg_setup setup;
        struct pg_check *check;
        struct report report;
        uint32_t problems;
};

static void show_sql(void *context, const char *sql)
{
        struct cli *cli = context;
        const size_t len = strlen(sql);

        fprintf(cli->out, "%s%s\n", sql, len > 0 && sql[len - 1] == '\n' ? "" : ";");
}

static void add_problem(void *context, const char *where, const char *problem)
{
        struct db *db = context;

        db->problems++;
        report_listed(&db->report, where, problem);
}

static void tell_definition(struct db *db, uint32_t index)
{
        const struct pg_check_problem *problem = pg_check_problem_at(db->check, index);

        if (db->admin.dry_run)
                fprintf(db->cli->out, "-- %s: %s\n", problem->place, problem->text);
        else
                report_listed(&db->report, problem->place, problem->text);
}

/* What a definition only costs is told, and is no problem. */
static void tell_definitions(struct db *db)
{
        for (uint32_t i = 0; i < pg_check_problem_count(db->check); i++) {
                db->problems += pg_check_problem_at(db->check, i)->weight != PG_CHECK_SLOW;
                tell_definition(db, i);
        }
}

/* Nothing is changed for definitions that are wrong. */
static enum err setup(struct db *db, struct err_msg *msg)
{
        enum err rc = pg_check_run(&db->check, db->admin.conn, db->setup.types, PG_CHECK_DECLARED, msg);

        if (rc == OK)
                rc = pg_check_verdict(db->check, msg);
        if (rc != OK)
                return rc;
        tell_definitions(db);
        db->setup.check = db->check;
        rc = pg_setup_run(&db->admin, &db->setup, msg);
        report_number(&db->report, "changes", db->admin.changes);
        if (rc == OK && !db->admin.dry_run)
                rc = pg_setup_check(&db->admin, &db->setup, add_problem, db, msg);
        return rc;
}

static enum err teardown(struct db *db, struct err_msg *msg)
{
        enum err rc = pg_setup_teardown(&db->admin, TRIES, msg);

        report_number(&db->report, "changes", db->admin.changes);
        return rc;
}

static enum err status(struct db *db, struct err_msg *msg)
{
        enum err rc = pg_check_run(&db->check, db->admin.conn, db->setup.types, PG_CHECK_INSTALLED, msg);

        db->setup.check = db->check;
        if (rc == OK)
                rc = pg_setup_check(&db->admin, &db->setup, add_problem, db, msg);
        if (rc == OK)
                tell_definitions(db);
        report_number(&db->report, "problems", db->problems);
        return rc;
}

/* Exit code 1 when something is not in order. */
static enum cli_exit finish(struct db *db)
{
        const enum cli_exit shown = db->admin.dry_run ? EXIT_OK : report_show(&db->report, db->cli, db->cli->out);

        return shown == EXIT_OK && db->problems > 0 ? EXIT_REFUSED : shown;
}

static enum cli_exit run(struct db *db, enum err (*what)(struct db *db, struct err_msg *msg))
{
        struct err_msg msg;
        enum cli_exit result;
        enum err rc = pg_admin_open(&db->admin, db->dsn, &msg);

        if (rc != OK)
                return cli_fail(db->cli, rc, &msg);
        report_init(&db->report);
        rc = what(db, &msg);
        result = rc == OK ? finish(db) : cli_fail(db->cli, rc, &msg);
        report_deinit(&db->report);
        pg_check_destroy(&db->check);
        pg_admin_close(&db->admin);
        return result;
}

static struct db db_of(struct cli *cli, const struct cli_postgres *postgres)
{
        const bool dry_run = cli->args.flags[FLAG_dry_run] != NULL;

        return (struct db){
                .cli = cli,
                .dsn = postgres->dsn,
                .admin = {.dry_run = dry_run, .show = dry_run ? show_sql : NULL, .context = cli},
                .setup = {.types = postgres->types,
                        .role = cli->args.flags[FLAG_role],
                        .event_trigger = cli->args.flags[FLAG_event_trigger] != NULL,
                        .tries = TRIES},
        };
}

static enum cli_exit run_setup(struct cli *cli, const struct cli_postgres *postgres)
{
        struct db db = db_of(cli, postgres);

        return run(&db, setup);
}

static enum cli_exit run_status(struct cli *cli, const struct cli_postgres *postgres)
{
        struct db db = db_of(cli, postgres);

        return run(&db, status);
}

static enum cli_exit run_teardown(struct cli *cli, const struct cli_postgres *postgres)
{
        struct db db = db_of(cli, postgres);

        return run(&db, teardown);
}

enum cli_exit cmd_db(struct cli *cli)
{
        const char *what = cli->args.words[0];
        struct err_msg msg;
        enum err rc;

        if (strcmp(what, "setup") == 0)
                return cli_postgres_run(cli, run_setup);
        if (strcmp(what, "status") == 0)
                return cli_postgres_run(cli, run_status);
        if (strcmp(what, "teardown") == 0)
                return cli_postgres_run(cli, run_teardown);
        rc = err_set(&msg, ERR_SYNTAX, "`vitalcache db` takes setup, teardown or status, not '%s'", what);
        return cli_fail(cli, rc, &msg);
}
