/* What a type's SQL reads and calls.
 *
 * The problem: a copy may be kept only if each change of what it was made of touches one of its tags. What was it made
 * of? The SQL's text does not say: `FROM current_allergies` may be a view of a view of five tables, with a function in
 * it that reads a sixth.
 *
 * The idea: PostgreSQL knows, and says so. A function whose body is parsed when it is made (BEGIN ATOMIC, since 14)
 * keeps the parse tree in pg_proc, in which each relation stands as ":relid <oid>" and each function, operators' and
 * aggregates' among them, as ":funcid <oid>" and the like. A view's tree is in pg_rewrite, that of a policy for rows in
 * pg_policy. So the SQL is made such a function of the session, in a transaction that is rolled back, and the trees are
 * followed from there. Text in the SQL cannot pretend to be such a mark: spaces in it are escaped in the tree.
 *
 * Why not pg_depend, which has the same: it leaves out what came with the server, such as pg_roles and now().
 *
 * Functions must depend on nothing but their arguments. IMMUTABLE is their author's word for that, and is believed.
 * Those of the server that are STABLE depend, most of them, on settings that all sessions of ours have alike: a date's
 * form, a time zone. Clocks do not, nor do those that look at the server's own state. */
#include "base/buf.h"
#include "database/pg_check_parts.h"
#include "database/pg_ids.h"

enum { OLDEST_WITH_BODIES = 140000 };

#define TREES                                                                                                          \
        "WITH RECURSIVE tree(body, hidden) AS ("                                                                       \
        " SELECT p.prosqlbody::text, false FROM pg_catalog.pg_proc AS p"                                               \
        " WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() AND p.proname = '" PG_CHECK_NAME "'"                   \
        " UNION SELECT n.body, true FROM tree AS t,"                                                                   \
        " LATERAL pg_catalog.regexp_matches(t.body, ':relid (\\d+)', 'g') AS m, LATERAL ("                             \
        "  SELECT r.ev_action::text AS body FROM pg_catalog.pg_rewrite AS r"                                           \
        "  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class"                                                        \
        "  WHERE c.oid = m[1]::oid AND c.relkind = 'v' AND r.ev_type = '1'"                                            \
        "  UNION ALL SELECT p.polqual::text FROM pg_catalog.pg_policy AS p"                                            \
        "  JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid"                                                        \
        "  WHERE c.oid = m[1]::oid AND c.relrowsecurity AND p.polcmd IN ('r', '*')"                                    \
        "  AND (t.hidden OR pg_catalog.row_security_active(c.oid))) AS n WHERE n.body IS NOT NULL)"

/* $1 the tables whose tags the copy has, $2 the subject; $3 relations, $4 tables, $5 subjects that the types name. A
 * partition is watched when what it is a part of is. */
#define RELATIONS                                                                                                      \
        TREES ", read AS (SELECT DISTINCT m[1]::oid AS oid"                                                            \
              " FROM tree, pg_catalog.regexp_matches(body, ':relid (\\d+)', 'g') AS m),"                               \
              " above(oid, upper) AS (SELECT oid, oid FROM read UNION SELECT a.oid, i.inhparent"                       \
              "  FROM above AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.upper),"                           \
              " declared(oid, table_name, subject) AS (SELECT pg_catalog.to_regclass(d.name)::oid, d.t, d.s"           \
              "  FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]),"                        \
              "  pg_catalog.unnest($5::text[])) AS d(name, t, s)),"                                                    \
              " watched(oid, table_name, subject) AS (%s)"                                                             \
              " SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relkind,"                                 \
              " EXISTS (SELECT FROM above AS a JOIN watched AS w ON w.oid = a.upper WHERE a.oid = c.oid"               \
              "  AND w.table_name = ANY ($1::text[]) AND w.subject IN ('', $2)),"                                      \
              " EXISTS (SELECT FROM above AS a JOIN declared AS w ON w.oid = a.upper WHERE a.oid = c.oid"              \
              "  AND w.table_name = ANY ($1::text[]) AND w.subject IN ('', $2)), c.oid < 16384"                        \
              " FROM read JOIN pg_catalog.pg_class AS c ON c.oid = read.oid"                                           \
              " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace ORDER BY 1"

static const char INSTALLED[] =
        "SELECT pg_catalog.to_regclass(relation)::oid, table_name, coalesce(subject, '') FROM vitalcache.vc_watch";
static const char DECLARED[] = "SELECT oid, table_name, subject FROM declared";

static const char FUNCTIONS[] = TREES
        ", call(name, kind) AS ("
        " SELECT p.oid::regprocedure::text, CASE"
        "  WHEN p.oid >= 16384 THEN 'own' WHEN p.provolatile = 'v' THEN 'volatile'"
        "  WHEN p.proname IN ('now', 'transaction_timestamp', 'statement_timestamp')"
        "   OR p.proname = 'age' AND p.pronargs = 1 THEN 'clock'"
        "  WHEN p.pronargs = 0 OR p.proname ~ '^(pg_|has_|txid_|to_reg|current_|inet_|row_security_|(obj|col|shobj)_"
        "description|(table|database|schema|query|cursor)_to_xml)' THEN 'state' END"
        " FROM tree, pg_catalog.regexp_matches(body, ':(?:funcid|opfuncid|aggfnoid|winfnoid|tsmhandler) (\\d+)', 'g')"
        "  AS m JOIN pg_catalog.pg_proc AS p ON p.oid = m[1]::oid WHERE p.provolatile <> 'i'"
        " UNION SELECT (ARRAY['current_date', 'current_time', 'current_time', 'current_timestamp', 'current_timestamp',"
        "  'localtime', 'localtime', 'localtimestamp', 'localtimestamp'])[m[1]::int + 1], 'clock'"
        " FROM tree, pg_catalog.regexp_matches(body, '\\{SQLVALUEFUNCTION :op (\\d+)', 'g') AS m WHERE m[1]::int < 9"
        " UNION SELECT 'current_user or the like', 'state'"
        " FROM tree, pg_catalog.regexp_matches(body, '\\{SQLVALUEFUNCTION :op (\\d+)', 'g') AS m WHERE m[1]::int >= 9"
        " UNION SELECT '', 'write' FROM tree WHERE body ~ ':commandType [2345]|:hasForUpdate true')"
        " SELECT name, kind FROM call WHERE kind IS NOT NULL ORDER BY 1, 2";

/* ---- relations ---- */

/* Arrays, as PostgreSQL writes them, of what the types name. */
struct names {
        struct buf tables; /* whose tags the copy has */
        struct buf relations, relation_tables, relation_subjects;
};

static const char *text_of(const struct buf *buf)
{
        return (const char *)buf_slice(buf).data;
}

static enum err put_tables(const struct pg_check_sql *sql, struct arena *arena, struct buf *out)
{
        const uint32_t count = sql->type == NULL ? sql->table != NULL : sql->type->read_count;
        struct slice *names = arena_array(arena, count + 1, sizeof(*names));

        if (names == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < count; i++)
                names[i] = slice_str(sql->type == NULL ? sql->table->name : sql->type->reads[i]->name);
        return pg_ids_put(out, names, count);
}

static enum err put_declared(const struct record_types *types, struct arena *arena, struct names *names)
{
        struct slice *of[3];
        size_t count = 0;
        enum err rc;

        for (uint32_t i = 0; i < record_types_table_count(types); i++)
                count += record_types_table_at(types, i)->relation_count;
        for (int i = 0; i < 3; i++) {
                of[i] = arena_array(arena, count + 1, sizeof(**of));
                if (of[i] == NULL)
                        return ERR_NOMEM;
        }
        count = 0;
        for (uint32_t i = 0; i < record_types_table_count(types); i++) {
                const struct record_table *table = record_types_table_at(types, i);

                for (uint32_t k = 0; k < table->relation_count; k++, count++) {
                        const char *subject = table->relations[k].subject;

                        of[0][count] = slice_str(table->relations[k].name);
                        of[1][count] = slice_str(table->name);
                        of[2][count] = slice_str(subject == NULL ? "" : subject);
                }
        }
        rc = pg_ids_put(&names->relations, of[0], count);
        if (rc == OK)
                rc = pg_ids_put(&names->relation_tables, of[1], count);
        return rc == OK ? pg_ids_put(&names->relation_subjects, of[2], count) : rc;
}

static enum err ask_relations(
        struct pg_check *check, const struct pg_check_sql *sql, PGresult **out, struct err_msg *msg)
{
        struct buf query;
        struct names names;
        enum err rc;

        *out = NULL;
        buf_init(&query, 0);
        buf_init(&names.tables, 0);
        buf_init(&names.relations, 0);
        buf_init(&names.relation_tables, 0);
        buf_init(&names.relation_subjects, 0);
        rc = buf_printf(&query, RELATIONS "%c", check->cover == PG_CHECK_DECLARED ? DECLARED : INSTALLED, '\0');
        if (rc == OK)
                rc = put_tables(sql, &check->arena, &names.tables);
        if (rc == OK)
                rc = put_declared(check->types, &check->arena, &names);
        if (rc == OK) {
                const char *const values[] = {text_of(&names.tables), sql->subject->name, text_of(&names.relations),
                        text_of(&names.relation_tables), text_of(&names.relation_subjects), NULL};

                rc = pg_check_ask(check, text_of(&query), values, out, msg);
        }
        buf_deinit(&query);
        buf_deinit(&names.tables);
        buf_deinit(&names.relations);
        buf_deinit(&names.relation_tables);
        buf_deinit(&names.relation_subjects);
        return rc;
}

static enum err add_view(struct pg_check *check, const char *relation, const char *table)
{
        struct pg_check_view *more;

        if (check->view_count == check->view_room) {
                check->view_room = check->view_room == 0 ? 8 : 2 * check->view_room;
                more = arena_array(&check->arena, check->view_room, sizeof(*more));
                if (more == NULL)
                        return ERR_NOMEM;
                if (check->view_count > 0)
                        memcpy(more, check->views, check->view_count * sizeof(*more));
                check->views = more;
        }
        more = &check->views[check->view_count];
        *more = (struct pg_check_view){.relation = arena_text(&check->arena, slice_str(relation)), .table = table};
        check->view_count += more->relation != NULL;
        return more->relation == NULL ? ERR_NOMEM : OK;
}

static enum err tell_uncovered(struct pg_check *check, struct pg_check_sql *sql, const char *name)
{
        if (sql->table == NULL)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "it reads %s, but names no table of the record types whose changes tell of it (`table:`): such "
                        "keys are not cached",
                        name);
        return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                "it reads %s, whose changes touch none of its tags: it is not cached. Add {name: %s} to "
                "postgres.relations of the table %s (with the column that names the %s, if there is one), then run: "
                "vitalcache db setup",
                name, name, sql->table->name, sql->subject->name);
}

/* One row of RELATIONS. */
static enum err check_relation(struct pg_check *check, struct pg_check_sql *sql, const PGresult *rows, int row)
{
        const char *name = PQgetvalue(rows, row, 0);
        const char kind = PQgetvalue(rows, row, 1)[0];
        const bool covered = PQgetvalue(rows, row, 2)[0] == 't';
        const bool declared = PQgetvalue(rows, row, 3)[0] == 't';
        const bool own = PQgetvalue(rows, row, 4)[0] != 't';
        enum err rc = OK;

        if (!own || (kind != 'r' && kind != 'p' && kind != 'v'))
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "it reads %s%s, whose changes no trigger can see: it is not cached",
                        kind == 'm'   ? "the materialized view "
                        : kind == 'f' ? "the foreign table "
                                      : "",
                        name);
        if (kind == 'v' && sql->table != NULL)
                rc = add_view(check, name, sql->table->name);
        if (rc != OK || covered || (kind == 'v' && sql->table != NULL && check->cover == PG_CHECK_DECLARED))
                return rc;
        if (kind == 'v' || declared)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "it reads %s%s, which is not watched yet: it is not cached. Run: vitalcache db setup",
                        kind == 'v' ? "the view " : "", name);
        return tell_uncovered(check, sql, name);
}

static enum err check_relations(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        PGresult *rows;
        enum err rc;

        if (check->cover == PG_CHECK_INSTALLED && !check->watched) {
                sql->found.cacheable = false;
                return OK;
        }
        rc = ask_relations(check, sql, &rows, msg);
        for (int i = 0; rc == OK && i < PQntuples(rows); i++)
                rc = check_relation(check, sql, rows, i);
        PQclear(rows);
        return rc;
}

/* ---- functions ---- */

static enum err check_function(struct pg_check *check, struct pg_check_sql *sql, const char *name, const char *kind)
{
        if (strcmp(kind, "write") == 0)
                return pg_check_tell(check, sql, PG_CHECK_WRONG, "it writes or locks rows; it must be a plain SELECT");
        if (strcmp(kind, "volatile") == 0)
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        "it calls %s, whose result is another one at each call: no reply could be held against it",
                        name);
        if (strcmp(kind, "own") == 0)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "it calls %s, which is not IMMUTABLE and may read anything: it is not cached", name);
        if (strcmp(kind, "state") == 0)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "it calls %s, which looks at the state of the server or session: it is not cached", name);
        if (sql->limited)
                return OK;
        return pg_check_tell(check, sql, PG_CHECK_WRONG,
                sql->type == NULL ? "it calls %s; whether there is such an id must not depend on the time"
                                  : "it calls %s, so time alone makes it stale; it must return the column valid_until, "
                                    "until when the row is true",
                name);
}

static enum err check_functions(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        PGresult *rows;
        enum err rc = pg_check_ask(check, FUNCTIONS, NULL, &rows, msg);

        for (int i = 0; rc == OK && i < PQntuples(rows); i++)
                rc = check_function(check, sql, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1));
        PQclear(rows);
        return rc;
}

/* ---- the tree ---- */

/* The parameter's type, as it is written in SQL. */
static enum err put_function(
        struct pg_check *check, const struct pg_check_sql *sql, struct buf *out, struct err_msg *msg)
{
        PGresult *result;
        enum err rc = pg_check_ask(check,
                "SELECT parameter_types[1]::text FROM pg_catalog.pg_prepared_statements WHERE name = '" PG_CHECK_NAME
                "'",
                NULL, &result, msg);

        if (rc == OK)
                rc = buf_printf(out,
                        "CREATE FUNCTION pg_temp." PG_CHECK_NAME "(%s) RETURNS void LANGUAGE sql BEGIN ATOMIC\n%s\n; "
                        "END%c",
                        PQgetvalue(result, 0, 0), sql->sql->text, '\0');
        PQclear(result);
        return rc;
}

static enum err tell_no_tree(
        struct pg_check *check, struct pg_check_sql *sql, const PGresult *result, struct err_msg *msg)
{
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        if (!pg_check_is_refusal(result))
                return pg_check_failed(check, result, msg);
        if (strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42501") == 0)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "what it reads cannot be found out by the role %s: it is not cached. GRANT TEMPORARY ON "
                        "DATABASE %s TO %s",
                        PQuser(check->conn), PQdb(check->conn), PQuser(check->conn));
        return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                "what it reads cannot be found out: it is not cached. PostgreSQL says: %s", text == NULL ? "?" : text);
}

enum err pg_check_reads(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        struct buf function;
        PGresult *made = NULL;
        PGresult *back = NULL;
        enum err rc;

        if (PQserverVersion(check->conn) < OLDEST_WITH_BODIES)
                return pg_check_tell(check, sql, PG_CHECK_UNCACHED,
                        "only PostgreSQL 14 and newer say what it reads: it is not cached");
        buf_init(&function, 0);
        rc = put_function(check, sql, &function, msg);
        if (rc == OK)
                rc = pg_check_ask(check, "SAVEPOINT made", NULL, &back, msg);
        PQclear(back);
        if (rc == OK) {
                made = PQexec(check->conn, text_of(&function));
                if (PQresultStatus(made) == PGRES_COMMAND_OK) {
                        rc = check_relations(check, sql, msg);
                        rc = rc == OK ? check_functions(check, sql, msg) : rc;
                } else {
                        rc = tell_no_tree(check, sql, made, msg);
                }
        }
        if (rc == OK) {
                rc = pg_check_ask(check, "ROLLBACK TO made", NULL, &back, msg);
                PQclear(back);
        }
        PQclear(made);
        buf_deinit(&function);
        return rc;
}
