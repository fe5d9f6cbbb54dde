/* The parameter and the columns of a type's SQL. */
#include "database/pg_check_parts.h"
#include "database/pg_decode.h"
#include "database/pg_exchange.h"
#include "database/pg_type.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXCERPT_MAX = 40 };

/* ---- what PostgreSQL says against it ---- */

/* Where the SQL is refused: the line, and its text from there on. `position` counts characters from 1. */
static void describe_place(const char *sql, long position, char *out, size_t size)
{
        const char *at = sql;
        int line = 1;
        size_t len;

        for (long i = 1; i < position && *at != '\0'; i++) {
                line += *at == '\n';
                for (at++; (*at & 0xc0) == 0x80; at++)
                        ;
        }
        len = strcspn(at, "\n");
        snprintf(out, size, "; line %d of the SQL, at `%.*s`", line, (int)(len < EXCERPT_MAX ? len : EXCERPT_MAX), at);
}

static enum err tell_refusal(
        struct pg_check *check, struct pg_check_sql *sql, const PGresult *result, struct err_msg *msg)
{
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
        const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
        char place[128] = "";

        if (!pg_check_is_refusal(result))
                return pg_check_failed(check, result, msg);
        if (position != NULL)
                describe_place(sql->sql->text, strtol(position, NULL, 10), place, sizeof(place));
        return pg_check_tell(check, sql, PG_CHECK_WRONG, "%s (%s)%s%s%s", text == NULL ? "refused" : text,
                PQresultErrorField(result, PG_DIAG_SQLSTATE), place, hint == NULL ? "" : "; ",
                hint == NULL ? "" : hint);
}

/* ---- the parameter ---- */

static bool fits(enum id_kind kind, uint32_t type)
{
        const bool whole = type == PG_TYPE_INT2 || type == PG_TYPE_INT4 || type == PG_TYPE_INT8;

        return !(kind == ID_KIND_UUID && whole) && !(kind == ID_KIND_INT && type == PG_TYPE_UUID);
}

static enum err find_element(struct pg_check *check, Oid array, uint32_t *element, char name[64], struct err_msg *msg)
{
        char number[16];
        const char *const values[] = {number, NULL};
        PGresult *result;
        enum err rc;

        snprintf(number, sizeof(number), "%u", array);
        rc = pg_check_ask(check,
                "SELECT CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END, pg_catalog.format_type(oid, NULL)"
                " FROM pg_catalog.pg_type WHERE oid = $1::pg_catalog.oid",
                values, &result, msg);
        if (rc != OK)
                return rc;
        *element = PQntuples(result) == 0 ? 0 : (uint32_t)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
        snprintf(name, 64, "%s", PQntuples(result) == 0 ? "?" : PQgetvalue(result, 0, 1));
        PQclear(result);
        return OK;
}

static enum err check_parameter(
        struct pg_check *check, struct pg_check_sql *sql, const PGresult *described, struct err_msg *msg)
{
        const int count = PQnparams(described);
        char name[64];
        enum err rc;

        if (count != 1)
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        count == 0 ? "it does not use $1, the array of the ids that are asked for; write "
                                     "`WHERE ... = ANY($1)`"
                                   : "it has further parameters than $1, the array of the ids that are asked for");
        rc = find_element(check, PQparamtype(described, 0), &sql->found.key_type, name, msg);
        if (rc == OK && sql->found.key_type == 0)
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        "$1 is taken for one %s; it is an array of ids, write `= ANY($1)`", name);
        if (rc == OK && !fits(sql->id_kind, sql->found.key_type))
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        "its ids are declared to be of another kind (`id:`) than $1, which is %s", name);
        return rc;
}

/* ---- the columns ---- */

/* Ids must have one text, as those of the triggers do. */
static bool is_id_type(uint32_t type)
{
        switch (type) {
        case PG_TYPE_INT2:
        case PG_TYPE_INT4:
        case PG_TYPE_INT8:
        case PG_TYPE_OID:
        case PG_TYPE_UUID:
        case PG_TYPE_TEXT:
        case PG_TYPE_VARCHAR:
        case PG_TYPE_BPCHAR:
        case PG_TYPE_NAME:
        case PG_TYPE_NUMERIC: return true;
        default: return false;
        }
}

static bool is_text(uint32_t type)
{
        return type == PG_TYPE_TEXT || type == PG_TYPE_VARCHAR || type == PG_TYPE_BPCHAR || type == PG_TYPE_NAME ||
               type == PG_TYPE_JSON;
}

static enum err check_subject_column(struct pg_check *check, struct pg_check_sql *sql, const PGresult *described)
{
        const int column = sql->type == NULL ? 0 : pg_find_column(described, sql->subject->name);

        if (sql->type == NULL && PQnfields(described) != 1)
                return pg_check_tell(check, sql, PG_CHECK_WRONG, "it returns %d columns; it must return one, the ids",
                        PQnfields(described));
        if (column < 0)
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        "it returns no column %s, which says whose each row is; write `... AS %s`", sql->subject->name,
                        sql->subject->name);
        if (!is_id_type(PQftype(described, column)))
                return pg_check_tell(check, sql, PG_CHECK_WRONG,
                        "its column %s is of a type that can write one id in several ways; whole numbers, uuid and "
                        "text cannot",
                        PQfname(described, column));
        return OK;
}

static enum err check_names(struct pg_check *check, struct pg_check_sql *sql, const PGresult *described)
{
        const int until = pg_find_column(described, "valid_until");
        enum err rc = OK;

        for (int i = 0; rc == OK && i < PQnfields(described); i++)
                if (pg_find_column(described, PQfname(described, i)) != i)
                        rc = pg_check_tell(
                                check, sql, PG_CHECK_WRONG, "it returns the column %s twice", PQfname(described, i));
        sql->limited = sql->type != NULL && until >= 0;
        if (rc == OK && sql->limited && PQftype(described, until) != PG_TYPE_TIMESTAMP &&
                PQftype(described, until) != PG_TYPE_TIMESTAMPTZ)
                rc = pg_check_tell(check, sql, PG_CHECK_WRONG, "its column valid_until is no timestamp");
        return rc;
}

static enum err note_columns(struct pg_check *check, struct pg_check_sql *sql, const PGresult *described)
{
        const int count = PQnfields(described);
        uint32_t *columns = arena_array(&check->arena, (size_t)count, sizeof(*columns));
        bool known = true;
        bool cheaper = false;

        if (columns == NULL)
                return ERR_NOMEM;
        for (int i = 0; i < count; i++) {
                columns[i] = PQftype(described, i);
                known = known && pg_decode_knows_binary(columns[i]);
                cheaper = cheaper || !is_text(columns[i]);
        }
        sql->found.columns = columns;
        sql->found.column_count = (uint32_t)count;
        sql->found.binary_results = sql->type != NULL && known && cheaper;
        return OK;
}

static enum err check_columns(struct pg_check *check, struct pg_check_sql *sql, const PGresult *described)
{
        enum err rc;

        if (PQnfields(described) == 0)
                return pg_check_tell(check, sql, PG_CHECK_WRONG, "it returns nothing; it must be a SELECT");
        rc = check_subject_column(check, sql, described);
        if (rc == OK)
                rc = check_names(check, sql, described);
        return rc == OK ? note_columns(check, sql, described) : rc;
}

enum err pg_check_describe(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        PGresult *result = PQprepare(check->conn, PG_CHECK_NAME, sql->sql->text, 0, NULL);
        enum err rc;

        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
                PQclear(result);
                result = PQdescribePrepared(check->conn, PG_CHECK_NAME);
        }
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                rc = tell_refusal(check, sql, result, msg);
        else
                rc = check_columns(check, sql, result);
        if (rc == OK && sql->found.servable)
                rc = check_parameter(check, sql, result, msg);
        PQclear(result);
        return rc;
}
