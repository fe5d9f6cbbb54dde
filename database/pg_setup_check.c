/* What is not in order with what pg_setup.c has put into a database. */
#include "database/pg_setup.h"
#include "database/pg_setup_watch.h"

struct teller {
        pg_setup_problem_fn problem;
        void *context;
};

/* Tells each row (where, problem) of a query. */
static enum err tell_rows(struct pg_admin *admin, const char *query, const char *const *values,
        const struct teller *teller, struct err_msg *msg)
{
        PGresult *rows;
        enum err rc = pg_admin_ask(admin, query, values, &rows, msg);

        for (int i = 0; rc == OK && i < PQntuples(rows); i++)
                teller->problem(teller->context, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
        PQclear(rows);
        return rc;
}

static enum err tell_unwatched(
        struct pg_admin *admin, const struct pg_setup *setup, const struct teller *teller, struct err_msg *msg)
{
        struct buf wanted;
        struct buf query;
        enum err rc;

        buf_init(&wanted, 0);
        buf_init(&query, 0);
        rc = pg_setup_wanted(admin, setup, &wanted, msg);
        if (rc == OK)
                rc = buf_printf(&query,
                        "WITH wanted AS (%.*s) SELECT relation, format('is not watched for the table %%s of the record"
                        " types', table_name) FROM (TABLE wanted EXCEPT TABLE vitalcache.vc_watch) AS w ORDER BY 1, "
                        "2%c",
                        (int)buf_len(&wanted), (const char *)buf_slice(&wanted).data, '\0');
        if (rc == OK)
                rc = tell_rows(admin, (const char *)buf_slice(&query).data, NULL, teller, msg);
        buf_deinit(&wanted);
        buf_deinit(&query);
        return rc;
}

static enum err tell_rights(struct pg_admin *admin, const char *role, const struct teller *teller, struct err_msg *msg)
{
        const char *const values[] = {role, NULL};
        enum err rc = tell_rows(
                admin, "SELECT $1::text, 'lacks: ' || g FROM vitalcache.vc_grants($1::text) AS g", values, teller, msg);

        return rc != OK ? rc
                        : tell_rows(admin,
                                  "SELECT DISTINCT $1::text, format('cannot read %s: GRANT SELECT ON %1$s TO %I', "
                                  "relation, "
                                  "$1)"
                                  " FROM vitalcache.vc_watch"
                                  " WHERE NOT has_any_column_privilege($1::text, to_regclass(relation)::oid, 'SELECT')",
                                  values, teller, msg);
}

enum err pg_setup_check(struct pg_admin *admin, const struct pg_setup *setup, pg_setup_problem_fn problem,
        void *context, struct err_msg *msg)
{
        const struct teller teller = {.problem = problem, .context = context};
        PGresult *there;
        enum err rc =
                pg_admin_ask(admin, "SELECT to_regprocedure('vitalcache.vc_state()') IS NOT NULL", NULL, &there, msg);

        if (rc == OK && PQgetvalue(there, 0, 0)[0] != 't')
                rc = err_set(msg, ERR_NOTFOUND, "nothing of vitalcache is set up here; run: vitalcache db setup");
        PQclear(there);
        if (rc == OK)
                rc = tell_rows(admin,
                        "SELECT DISTINCT relation, coalesce(problem, 'was changed since a node last looked at it')"
                        " FROM vitalcache.vc_state() ORDER BY 1",
                        NULL, &teller, msg);
        if (rc == OK && setup->types != NULL)
                rc = tell_unwatched(admin, setup, &teller, msg);
        if (rc == OK && setup->role != NULL)
                rc = tell_rights(admin, setup->role, &teller, msg);
        return rc;
}
