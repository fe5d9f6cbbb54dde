#include "database/pg_setup_watch.h"

#include <string.h>

/* Appends `text` as a literal of SQL; NULL as NULL. */
static enum err put_literal(struct pg_admin *admin, const char *text, struct buf *out)
{
        char *literal;
        enum err rc;

        if (text == NULL)
                return buf_append_str(out, "NULL");
        literal = PQescapeLiteral(admin->conn, text, strlen(text));
        rc = literal == NULL ? ERR_NOMEM : buf_append_str(out, literal);
        PQfreemem(literal);
        return rc;
}

/* The relation's name as vc_watch has it, when it and its column are there. */
static enum err find(
        struct pg_admin *admin, const struct record_relation *relation, PGresult **out, struct err_msg *msg)
{
        const char *const values[] = {relation->name, relation->column == NULL ? "" : relation->column, NULL};
        enum err rc = pg_admin_ask(admin,
                "SELECT format('%I.%I', n.nspname, c.relname), $2 = '' OR EXISTS (SELECT FROM pg_attribute AS a"
                " WHERE a.attrelid = c.oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped)"
                " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)",
                values, out, msg);

        if (rc != OK)
                return err_wrap(msg, rc, "%s: %s", relation->place, relation->name);
        if (PQntuples(*out) == 0)
                return err_set(msg, ERR_CONFIG, "%s: there is no relation %s in this database", relation->place,
                        relation->name);
        if (PQgetvalue(*out, 0, 1)[0] != 't')
                return err_set(
                        msg, ERR_CONFIG, "%s: %s has no column %s", relation->place, relation->name, relation->column);
        return OK;
}

/* `relation` is as format('%I.%I') writes it. */
static enum err put_row(struct pg_admin *admin, const char *const values[4], struct buf *out)
{
        enum err rc = OK;

        for (int i = 0; rc == OK && i < 4; i++) {
                rc = buf_append_str(out, i == 0 ? " UNION SELECT " : ", ");
                if (rc == OK)
                        rc = put_literal(admin, values[i], out);
        }
        return rc;
}

static enum err put_relation(struct pg_admin *admin, const struct record_table *table,
        const struct record_relation *relation, struct buf *out, struct err_msg *msg)
{
        PGresult *found = NULL;
        enum err rc = find(admin, relation, &found, msg);

        if (rc == OK) {
                const char *const values[4] = {
                        PQgetvalue(found, 0, 0), table->name, relation->subject, relation->column};

                rc = put_row(admin, values, out);
        }
        PQclear(found);
        return rc;
}

static enum err put_views(struct pg_admin *admin, const struct pg_check *check, struct buf *out)
{
        enum err rc = OK;

        for (uint32_t i = 0; rc == OK && i < pg_check_view_count(check); i++) {
                const struct pg_check_view *view = pg_check_view_at(check, i);
                const char *const values[4] = {view->relation, view->table, NULL, NULL};

                rc = put_row(admin, values, out);
        }
        return rc;
}

enum err pg_setup_wanted(struct pg_admin *admin, const struct pg_setup *setup, struct buf *out, struct err_msg *msg)
{
        const struct record_types *types = setup->types;
        const struct record_table *table;
        enum err rc = buf_append_str(out, "SELECT NULL::text AS relation, NULL::text AS table_name,"
                                          " NULL::text AS subject, NULL::text AS column_name WHERE false");

        for (uint32_t i = 0; rc == OK && i < record_types_table_count(types); i++) {
                table = record_types_table_at(types, i);
                for (uint32_t k = 0; rc == OK && k < table->relation_count; k++)
                        rc = put_relation(admin, table, &table->relations[k], out, msg);
        }
        return rc == OK && setup->check != NULL ? put_views(admin, setup->check, out) : rc;
}

/* The statements that make vc_watch equal to `wanted`. */
static enum err put_changes(const struct buf *wanted, struct buf *out)
{
        const struct slice query = buf_slice(wanted);

        return buf_printf(out,
                "WITH wanted AS (%.*s), extra AS (TABLE vitalcache.vc_watch EXCEPT TABLE wanted)"
                " SELECT format('INSERT INTO vitalcache.vc_watch (relation, table_name, subject, column_name)"
                " VALUES (%%L, %%L, %%L, %%L)', relation, table_name, subject, column_name)"
                " FROM (TABLE wanted EXCEPT TABLE vitalcache.vc_watch) AS missing UNION ALL"
                " SELECT format('DELETE FROM vitalcache.vc_watch WHERE relation = %%L AND table_name = %%L"
                " AND subject IS NOT DISTINCT FROM %%L AND column_name IS NOT DISTINCT FROM %%L',"
                " relation, table_name, subject, column_name) FROM extra UNION ALL"
                " SELECT 'DELETE FROM vitalcache.vc_alive' WHERE EXISTS (SELECT FROM extra)%c",
                (int)query.len, (const char *)query.data, '\0');
}

static enum err refuse_unfit(struct pg_admin *admin, struct err_msg *msg)
{
        PGresult *unfit;
        enum err rc = pg_admin_ask(admin,
                "SELECT relation, problem FROM (SELECT DISTINCT relation, vitalcache.vc_unfit(relation) AS problem"
                " FROM vitalcache.vc_watch) AS w WHERE problem IS NOT NULL ORDER BY 1",
                NULL, &unfit, msg);

        if (rc == OK && PQntuples(unfit) > 0)
                rc = err_set(msg, ERR_CONFIG, "%s: %s", PQgetvalue(unfit, 0, 0), PQgetvalue(unfit, 0, 1));
        PQclear(unfit);
        return rc;
}

enum err pg_setup_watch(struct pg_admin *admin, const struct pg_setup *setup, struct err_msg *msg)
{
        const char *const none[] = {NULL};
        struct buf wanted;
        struct buf changes;
        enum err rc;

        buf_init(&wanted, 0);
        buf_init(&changes, 0);
        rc = pg_setup_wanted(admin, setup, &wanted, msg);
        if (rc == OK)
                rc = put_changes(&wanted, &changes);
        if (rc == OK)
                rc = pg_admin_change_each(admin, (const char *)buf_slice(&changes).data, none, pg_admin_change, msg);
        if (rc == OK)
                rc = refuse_unfit(admin, msg);
        buf_deinit(&wanted);
        buf_deinit(&changes);
        return rc;
}
