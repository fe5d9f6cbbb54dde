#include "database/pg_setup.h"

#include "base/buf.h"
#include "base/hash.h"
#include "database/pg_setup_sql.h"
#include "database/pg_setup_watch.h"
#include "database/pg_triggers_sql.h"

#include <time.h>

/* ---- the schema ---- */

static enum err scripts(struct buf *out)
{
        enum err rc = buf_append(out, pg_setup_sql, pg_setup_sql_len);

        if (rc == OK)
                rc = buf_append(out, pg_triggers_sql, pg_triggers_sql_len);
        return rc == OK ? buf_append(out, "", 1) : rc;
}

/* Whether what is installed is what these scripts make. */
static enum err is_installed(struct pg_admin *admin, const char *hash, bool *out, struct err_msg *msg)
{
        const char *const values[] = {hash, PG_SETUP_VERSION, NULL};
        PGresult *there;
        enum err rc = pg_admin_ask(admin,
                "SELECT v.version, v.version > $2::integer, v.script = $1 || '/' || count(p.oid) FROM "
                "vitalcache.vc_version AS v, pg_proc AS p"
                " WHERE p.pronamespace = to_regnamespace('vitalcache') AND p.proname NOT LIKE 'vc\\_on\\_%'"
                " GROUP BY v.version, v.script",
                values, &there, msg);

        *out = rc == OK && PQntuples(there) == 1 && PQgetvalue(there, 0, 2)[0] == 't';
        if (rc == OK && PQntuples(there) == 1 && PQgetvalue(there, 0, 1)[0] == 't')
                rc = err_set(msg, ERR_VERSION, "a newer release of vitalcache has set up this database (version %s)",
                        PQgetvalue(there, 0, 0));
        PQclear(there);
        return rc;
}

static enum err is_there(struct pg_admin *admin, const char *relation, bool *out, struct err_msg *msg)
{
        const char *const values[] = {relation, NULL};
        PGresult *result;
        enum err rc = pg_admin_ask(admin, "SELECT to_regclass($1) IS NOT NULL", values, &result, msg);

        *out = rc == OK && PQgetvalue(result, 0, 0)[0] == 't';
        PQclear(result);
        return rc;
}

static enum err install_anew(struct pg_admin *admin, const char *sql, const char *hash, struct err_msg *msg)
{
        char stamp[256];
        enum err rc = pg_admin_change(admin, sql, msg);

        snprintf(stamp, sizeof(stamp),
                "UPDATE vitalcache.vc_version SET script = (SELECT '%s/' || count(*) FROM pg_proc"
                " WHERE pronamespace = to_regnamespace('vitalcache') AND proname NOT LIKE 'vc\\_on\\_%%')",
                hash);
        return rc == OK ? pg_admin_change(admin, stamp, msg) : rc;
}

/* Runs the scripts, unless they are what was run here last. */
static enum err install(struct pg_admin *admin, struct err_msg *msg)
{
        struct buf sql;
        char hash[32];
        bool there = false;
        bool done = false;
        enum err rc;

        buf_init(&sql, 0);
        rc = scripts(&sql);
        if (rc == OK)
                rc = is_there(admin, "vitalcache.vc_version", &there, msg);
        if (rc == OK) {
                snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)hash64(buf_slice(&sql), 0));
                rc = there ? is_installed(admin, hash, &done, msg) : OK;
        }
        if (rc == OK && !done)
                rc = install_anew(admin, (const char *)buf_slice(&sql).data, hash, msg);
        buf_deinit(&sql);
        return rc;
}

/* ---- the triggers ---- */

/* Locks what is to get or lose triggers, all at once: a deadlock is noticed after a second at the earliest, and by then
 * this has given up. Dropping a trigger needs the strongest lock. */
static enum err lock_tables(struct pg_admin *admin, const char *plan, struct err_msg *msg)
{
        const char *const values[] = {NULL};
        struct buf query;
        enum err rc;

        buf_init(&query, 0);
        rc = buf_printf(&query,
                "WITH plan AS (%s)"
                " SELECT 'SET LOCAL statement_timeout = ''500ms''' FROM plan HAVING count(relation) > 0 UNION ALL"
                " SELECT format('LOCK TABLE ONLY %%s IN %%s MODE', string_agg(DISTINCT relation, ', ONLY '),"
                " CASE WHEN bool_or(statement LIKE 'DROP TRIGGER%%') THEN 'ACCESS EXCLUSIVE'"
                " ELSE 'SHARE ROW EXCLUSIVE' END) FROM plan HAVING count(relation) > 0 UNION ALL"
                " SELECT 'SET LOCAL statement_timeout = 0' FROM plan HAVING count(relation) > 0",
                plan);
        rc = rc == OK ? buf_append(&query, "", 1) : rc;
        if (rc == OK)
                rc = pg_admin_change_each(
                        admin, (const char *)buf_slice(&query).data, values, pg_admin_change_tables, msg);
        buf_deinit(&query);
        return rc;
}

static enum err cover(struct pg_admin *admin, struct err_msg *msg)
{
        const char *const none[] = {NULL};
        enum err rc = lock_tables(admin, "SELECT relation, statement FROM vitalcache.vc_plan()", msg);

        if (rc == OK)
                rc = pg_admin_change_each(
                        admin, "SELECT statement FROM vitalcache.vc_plan()", none, pg_admin_change_tables, msg);
        if (rc == OK)
                rc = pg_admin_change_each(admin,
                        "SELECT format('DELETE FROM vitalcache.vc_signature WHERE relation = %L', s.relation)"
                        " FROM vitalcache.vc_signature AS s WHERE NOT EXISTS"
                        " (SELECT FROM vitalcache.vc_watch AS w WHERE w.relation = s.relation)",
                        none, pg_admin_change, msg);
        if (rc == OK)
                rc = pg_admin_change_each(admin,
                        "SELECT 'SELECT vitalcache.vc_resign()' WHERE EXISTS (SELECT FROM vitalcache.vc_plan())"
                        " OR EXISTS (SELECT FROM vitalcache.vc_state() WHERE problem IS NULL)",
                        none, pg_admin_change_tables, msg);
        return rc;
}

/* ---- roles ---- */

static enum err grant(struct pg_admin *admin, const char *role, struct err_msg *msg)
{
        const char *const values[] = {role, NULL};
        PGresult *found;
        enum err rc = pg_admin_ask(admin, "SELECT FROM pg_roles WHERE rolname = $1", values, &found, msg);

        if (rc == OK && PQntuples(found) == 0)
                rc = err_set(msg, ERR_CONFIG, "there is no role %s", role);
        PQclear(found);
        return rc != OK ? rc
                        : pg_admin_change_each(
                                  admin, "SELECT * FROM vitalcache.vc_grants($1)", values, pg_admin_change, msg);
}

static enum err make_event_trigger(struct pg_admin *admin, struct err_msg *msg)
{
        const char *const none[] = {NULL};

        return pg_admin_change_each(admin,
                "SELECT s FROM unnest(ARRAY["
                "'CREATE EVENT TRIGGER vitalcache_cover ON ddl_command_end WHEN TAG IN (''CREATE TABLE'', "
                "''CREATE TABLE AS'', ''SELECT INTO'', ''ALTER TABLE'', ''CREATE SUBSCRIPTION'', "
                "''ALTER SUBSCRIPTION'') EXECUTE FUNCTION vitalcache.vc_on_ddl()',"
                "'ALTER EVENT TRIGGER vitalcache_cover ENABLE ALWAYS']) AS s"
                " WHERE NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'vitalcache_cover')",
                none, pg_admin_change, msg);
}

/* ---- all of it ---- */

typedef enum err (*attempt_fn)(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg);

static void pause_a_moment(void)
{
        const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};

        nanosleep(&moment, NULL);
}

/* One transaction; again, when a lock was not to be had. */
static enum err run(struct pg_admin *admin, const struct pg_setup *setup, attempt_fn attempt, struct err_msg *msg)
{
        enum err rc = ERR_BUSY;

        for (uint32_t i = 0; rc == ERR_BUSY && i < setup->tries; i++) {
                if (i > 0)
                        pause_a_moment();
                rc = pg_admin_begin(admin, msg);
                rc = rc == OK ? attempt(admin, setup, msg) : rc;
                rc = rc == OK ? pg_admin_commit(admin, msg) : rc;
                if (rc != OK)
                        pg_admin_rollback(admin);
        }
        return rc != ERR_BUSY ? rc
                              : err_wrap(msg, rc,
                                        "no lock on the tables in %u tries, a long transaction has them"
                                        " (pg_stat_activity shows it); nothing has changed, run this again later",
                                        setup->tries);
}

static enum err set_up(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg)
{
        enum err rc = install(admin, msg);

        if (rc == OK)
                rc = pg_setup_watch(admin, setup, msg);
        if (rc == OK)
                rc = cover(admin, msg);
        if (rc == OK && setup->role != NULL)
                rc = grant(admin, setup->role, msg);
        if (rc == OK && setup->event_trigger)
                rc = make_event_trigger(admin, msg);
        return rc;
}

enum err pg_setup_run(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg)
{
        return run(admin, setup, set_up, msg);
}

static enum err tear_down(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg)
{
        static const char triggers[] =
                "SELECT t.tgrelid::regclass::text AS relation, format('DROP TRIGGER %I ON %s', t.tgname,"
                " t.tgrelid::regclass) AS statement FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid"
                " WHERE NOT t.tgisinternal AND p.pronamespace = to_regnamespace('vitalcache') ORDER BY 1, 2";
        const char *const none[] = {NULL};
        enum err rc = pg_admin_change_each(admin,
                "SELECT format('DROP EVENT TRIGGER %I', e.evtname) FROM pg_event_trigger AS e"
                " JOIN pg_proc AS p ON p.oid = e.evtfoid WHERE p.pronamespace = to_regnamespace('vitalcache')",
                none, pg_admin_change, msg);

        (void)setup;
        if (rc == OK)
                rc = lock_tables(admin, triggers, msg);
        if (rc == OK)
                rc = pg_admin_change_each(admin, triggers, none, pg_admin_change_tables, msg);
        if (rc == OK)
                rc = pg_admin_change_each(admin,
                        "SELECT 'DROP SCHEMA vitalcache CASCADE' WHERE to_regnamespace('vitalcache') IS NOT NULL", none,
                        pg_admin_change_tables, msg);
        return rc;
}

enum err pg_setup_teardown(struct pg_admin *admin, uint32_t tries, struct err_msg *msg)
{
        const struct pg_setup setup = {.tries = tries};

        return run(admin, &setup, tear_down, msg);
}
