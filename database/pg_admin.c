#include "database/pg_admin.h"

#include <stdlib.h>
#include <string.h>

static const char BEGIN[] = "BEGIN; SET LOCAL lock_timeout = '500ms'; SET LOCAL search_path = pg_catalog, pg_temp";

enum { OLDEST_VERSION = 130000, PARAMETERS_MAX = 4 };

/* ---- opening ---- */

static enum err check_server(struct pg_admin *admin, struct err_msg *msg)
{
        const int version = PQserverVersion(admin->conn);
        PGresult *result;
        enum err rc = OK;

        if (version < OLDEST_VERSION)
                return err_set(msg, ERR_VERSION, "PostgreSQL 13 or newer is needed; this one is %d.%d", version / 10000,
                        version % 10000);
        rc = pg_admin_ask(admin, "SELECT pg_is_in_recovery(), current_setting('server_encoding')", NULL, &result, msg);
        if (rc != OK)
                return rc;
        if (PQgetvalue(result, 0, 0)[0] == 't')
                rc = err_set(msg, ERR_READONLY, "this is a standby: it gets all from its primary, so run this there");
        else if (strcmp(PQgetvalue(result, 0, 1), "SQL_ASCII") == 0)
                rc = err_set(msg, ERR_CONFIG, "the database's encoding is SQL_ASCII: its text has no known meaning");
        PQclear(result);
        return rc;
}

enum err pg_admin_open(struct pg_admin *admin, const char *dsn, struct err_msg *msg)
{
        const char *const keywords[] = {"dbname", "application_name", "client_encoding", "options", NULL};
        const char *const values[] = {dsn, "vitalcache db", "UTF8", "-c client_min_messages=error", NULL};
        enum err rc = OK;

        admin->conn = PQconnectdbParams(keywords, values, 1);
        if (PQstatus(admin->conn) != CONNECTION_OK)
                rc = err_set(
                        msg, ERR_UNAVAILABLE, "%s", admin->conn == NULL ? "no memory" : PQerrorMessage(admin->conn));
        if (rc == OK)
                rc = check_server(admin, msg);
        if (rc != OK)
                pg_admin_close(admin);
        return rc;
}

void pg_admin_close(struct pg_admin *admin)
{
        PQfinish(admin->conn);
        admin->conn = NULL;
}

/* ---- asking ---- */

static enum err failure(struct pg_admin *admin, const PGresult *result, struct err_msg *msg)
{
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        snprintf(admin->sqlstate, sizeof(admin->sqlstate), "%s", state == NULL ? "08006" : state);
        if (text == NULL)
                return err_set(msg, ERR_UNAVAILABLE, "the connection broke: %s", PQerrorMessage(admin->conn));
        if (strcmp(admin->sqlstate, "42501") == 0)
                return err_set(msg, ERR_PERMISSION,
                        "%s; run this as the owner of the database and of its tables, or as a member of those roles",
                        text);
        if (strcmp(admin->sqlstate, "55P03") == 0 || strcmp(admin->sqlstate, "57014") == 0)
                return err_set(msg, ERR_BUSY, "%s", text);
        return err_set(msg, ERR_INTERNAL, "%s (%s)", text, admin->sqlstate);
}

static bool succeeded(const PGresult *result)
{
        const ExecStatusType status = PQresultStatus(result);

        return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

enum err pg_admin_ask(
        struct pg_admin *admin, const char *sql, const char *const *values, PGresult **out, struct err_msg *msg)
{
        int count = 0;
        PGresult *result;
        enum err rc = OK;

        while (values != NULL && count < PARAMETERS_MAX && values[count] != NULL)
                count++;
        result = PQexecParams(admin->conn, sql, count, NULL, values, NULL, NULL, 0);
        if (!succeeded(result)) {
                rc = failure(admin, result, msg);
                PQclear(result);
                result = NULL;
        }
        *out = result;
        return rc;
}

/* ---- changing ---- */

static enum err execute(struct pg_admin *admin, const char *sql, struct err_msg *msg)
{
        PGresult *result = PQexec(admin->conn, sql);
        enum err rc = succeeded(result) ? OK : failure(admin, result, msg);

        PQclear(result);
        return rc;
}

/* Counts a change and shows it; the first one after the beginning of the transaction, without which it means less. */
static void show(struct pg_admin *admin, const char *sql)
{
        admin->changes++;
        if (admin->show != NULL && admin->changes == 1)
                admin->show(admin->context, BEGIN);
        if (admin->show != NULL)
                admin->show(admin->context, sql);
}

enum err pg_admin_change(struct pg_admin *admin, const char *sql, struct err_msg *msg)
{
        show(admin, sql);
        return execute(admin, sql, msg);
}

enum err pg_admin_change_tables(struct pg_admin *admin, const char *sql, struct err_msg *msg)
{
        if (!admin->dry_run)
                return pg_admin_change(admin, sql, msg);
        show(admin, sql);
        return OK;
}

enum err pg_admin_change_each(
        struct pg_admin *admin, const char *query, const char *const *values, pg_admin_fn change, struct err_msg *msg)
{
        PGresult *statements;
        enum err rc = pg_admin_ask(admin, query, values, &statements, msg);

        for (int i = 0; rc == OK && i < PQntuples(statements); i++)
                rc = change(admin, PQgetvalue(statements, i, PQnfields(statements) - 1), msg);
        PQclear(statements);
        return rc;
}

/* ---- the transaction ---- */

enum err pg_admin_begin(struct pg_admin *admin, struct err_msg *msg)
{
        admin->changes = 0;
        return execute(
                admin, "BEGIN; SET LOCAL lock_timeout = '500ms'; SET LOCAL search_path = pg_catalog, pg_temp", msg);
}

enum err pg_admin_commit(struct pg_admin *admin, struct err_msg *msg)
{
        if (admin->show != NULL && admin->changes > 0)
                admin->show(admin->context, "COMMIT");
        return execute(admin, admin->dry_run ? "ROLLBACK" : "COMMIT", msg);
}

void pg_admin_rollback(struct pg_admin *admin)
{
        struct err_msg ignored;

        if (PQtransactionStatus(admin->conn) != PQTRANS_IDLE && execute(admin, "ROLLBACK", &ignored) != OK)
                PQreset(admin->conn);
}
