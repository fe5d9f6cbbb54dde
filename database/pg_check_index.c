/* Whether the key of a type's SQL is looked up, or everything is gone through. */
#include "database/pg_check_parts.h"

/* Whoever compares the key in a Filter, and finds its rows by no other condition, goes through all of them. A small
 * table is gone through for good reasons although there is an index: hence "off", and the look at the indexes. A view
 * may keep the comparison above what it computes; such a node has no relation.
 *
 * $1: the plan. VERBOSE writes `alias.column`; a cast is none of the index's business if it only renames the type. */
static const char SCANS[] =
        "WITH scan AS (SELECT DISTINCT node->>'Schema' AS schema, node->>'Relation Name' AS relation, pg_catalog."
        "regexp_match(node->>'Filter', '(\\w+|\"[^\"]+\")\\)?(::[\\w ]+)? = ANY \\(\\$1') AS compared"
        " FROM pg_catalog.jsonb_path_query($1::jsonb, 'lax $.** ? (exists(@.\"Filter\"))') AS node"
        " WHERE node->>'Filter' LIKE '%= ANY ($1%' AND NOT node ? 'Index Cond' AND NOT node ? 'Recheck Cond'),"
        " place AS (SELECT c.oid, coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid) AS root, a.attnum,"
        "  CASE WHEN s.compared[2] IS NULL OR a.atttypid = 'varchar'::regtype THEN s.compared[1]"
        "  ELSE '(' || s.compared[1] || s.compared[2] || ')' END AS key,"
        "  s.compared[2] IS NULL OR a.atttypid = 'varchar'::regtype AS plain"
        " FROM scan AS s LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schema"
        " LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.relation"
        " LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid"
        "  AND pg_catalog.quote_ident(a.attname) = s.compared[1])"
        " SELECT DISTINCT pg_catalog.format('%I.%I', n.nspname, c.relname), p.key"
        " FROM place AS p LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.root"
        " LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = p.oid AND p.plain"
        "  AND i.indkey[0] = p.attnum AND i.indisvalid AND i.indpred IS NULL)";

static enum err tell_scan(struct pg_check *check, struct pg_check_sql *sql, const PGresult *rows, int row)
{
        const char *relation = PQgetvalue(rows, row, 0);
        const char *key = PQgetvalue(rows, row, 1);

        if (PQgetisnull(rows, row, 1))
                return pg_check_tell(check, sql, PG_CHECK_SLOW,
                        "every read goes through all rows, because its ids are compared only after everything was "
                        "read; compare them where an index can be used");
        return pg_check_tell(check, sql, PG_CHECK_SLOW,
                "every read goes through all rows of %s, which has no index for its ids: CREATE INDEX ON %s (%s)",
                relation, relation, key);
}

static enum err check_plan(struct pg_check *check, struct pg_check_sql *sql, const char *plan, struct err_msg *msg)
{
        const char *const values[] = {plan, NULL};
        PGresult *rows;
        enum err rc = pg_check_ask(check, SCANS, values, &rows, msg);

        for (int i = 0; rc == OK && i < PQntuples(rows); i++)
                rc = tell_scan(check, sql, rows, i);
        PQclear(rows);
        return rc;
}

enum err pg_check_index(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        PGresult *plan =
                PQexec(check->conn, "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan;"
                                    " EXPLAIN (FORMAT JSON, VERBOSE, COSTS OFF) EXECUTE " PG_CHECK_NAME "('{}')");
        const char *text = PQresultErrorField(plan, PG_DIAG_MESSAGE_PRIMARY);
        enum err rc;

        if (PQresultStatus(plan) == PGRES_TUPLES_OK)
                rc = check_plan(check, sql, PQgetvalue(plan, 0, 0), msg);
        else if (pg_check_is_refusal(plan))
                rc = pg_check_tell(check, sql, PG_CHECK_WRONG, "%s (role %s)", text, PQuser(check->conn));
        else
                rc = pg_check_failed(check, plan, msg);
        PQclear(plan);
        return rc;
}
