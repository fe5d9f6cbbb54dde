#include "database/pg_check_parts.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARAMETERS_MAX = 8, TEXT_SIZE = 640 };

/* ---- asking ---- */

bool pg_check_is_refusal(const PGresult *result)
{
        static const char *const passing[] = {"08", "25", "40", "53", "55", "57", "58", "XX"}; /* classes */
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        if (state == NULL)
                return false;
        for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
                if (strncmp(state, passing[i], 2) == 0)
                        return false;
        return true;
}

enum err pg_check_failed(const struct pg_check *check, const PGresult *result, struct err_msg *msg)
{
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

        return err_set(msg, ERR_UNAVAILABLE, "the definitions could not be checked: %s",
                text == NULL ? PQerrorMessage(check->conn) : text);
}

enum err pg_check_ask(
        struct pg_check *check, const char *query, const char *const *values, PGresult **out, struct err_msg *msg)
{
        int count = 0;
        enum err rc;

        while (values != NULL && values[count] != NULL)
                count++;
        VC_ASSERT(count <= PARAMETERS_MAX);
        *out = PQexecParams(check->conn, query, count, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(*out) == PGRES_TUPLES_OK || PQresultStatus(*out) == PGRES_COMMAND_OK)
                return OK;
        rc = pg_check_failed(check, *out, msg);
        PQclear(*out);
        *out = NULL;
        return rc;
}

static enum err execute(struct pg_check *check, const char *sql, struct err_msg *msg)
{
        PGresult *result = PQexec(check->conn, sql);
        const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
        enum err rc = done ? OK : pg_check_failed(check, result, msg);

        PQclear(result);
        return rc;
}

/* ---- telling ---- */

static enum err add_problem(struct pg_check *check, const struct pg_check_problem *problem)
{
        struct pg_check_problem *more;

        if (check->problem_count == check->problem_room) {
                check->problem_room = check->problem_room == 0 ? 16 : 2 * check->problem_room;
                more = arena_array(&check->arena, check->problem_room, sizeof(*more));
                if (more == NULL)
                        return ERR_NOMEM;
                if (check->problem_count > 0)
                        memcpy(more, check->problems, check->problem_count * sizeof(*more));
                check->problems = more;
        }
        check->problems[check->problem_count++] = *problem;
        return OK;
}

enum err pg_check_tell(
        struct pg_check *check, struct pg_check_sql *sql, enum pg_check_weight weight, const char *format, ...)
{
        struct pg_check_problem problem = {.weight = weight, .place = sql->sql->place};
        char text[TEXT_SIZE];
        size_t used;
        va_list values;

        used = (size_t)snprintf(
                text, sizeof(text), sql->type == NULL ? "whether a %.64s exists: " : "type %.64s: ", sql->name);
        va_start(values, format);
        vsnprintf(text + used, sizeof(text) - used, format, values);
        va_end(values);
        sql->found.servable = sql->found.servable && weight != PG_CHECK_WRONG;
        sql->found.cacheable = sql->found.cacheable && weight == PG_CHECK_SLOW;
        problem.text = arena_text(&check->arena, slice_str(text));
        return problem.text == NULL ? ERR_NOMEM : add_problem(check, &problem);
}

/* ---- one SQL ---- */

static enum err look(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        enum err rc = pg_check_describe(check, sql, msg);

        if (rc == OK && sql->found.servable)
                rc = pg_check_reads(check, sql, msg);
        if (rc == OK && sql->found.servable)
                rc = pg_check_index(check, sql, msg);
        return rc;
}

/* In a transaction that leaves nothing behind. What waits for a lock longer than a moment waits for a migration, after
 * which all is to be looked at again anyway. */
static enum err check_sql(struct pg_check *check, struct pg_check_sql *sql, struct err_msg *msg)
{
        struct err_msg ignored;
        enum err rc;

        sql->found = (struct pg_check_type){.servable = true, .cacheable = true};
        rc = execute(
                check, "BEGIN READ WRITE; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '10s'", msg);
        if (rc == OK)
                rc = look(check, sql, msg);
        if (rc == OK)
                return execute(check, "ROLLBACK; DEALLOCATE ALL", msg);
        if (execute(check, "ROLLBACK; DEALLOCATE ALL", &ignored) != OK)
                return rc; /* so is the connection */
        return rc;
}

/* ---- all of them ---- */

static void join(struct pg_check_type *to, const struct pg_check_type *from)
{
        to->servable = to->servable && from->servable;
        to->cacheable = to->cacheable && from->cacheable;
}

/* Whether ids of the subject exist; what comes of it holds for all types of its keys. */
static enum err check_subject(struct pg_check *check, const struct record_subject *subject, struct err_msg *msg)
{
        struct pg_check_sql sql = {.name = subject->name,
                .sql = &subject->exists,
                .subject = subject,
                .table = subject->table,
                .id_kind = ID_KIND_TEXT};
        const struct record_subject *students = record_types_subject_at(check->types, 0);
        const struct record_type *type;
        enum err rc = OK;

        sql.found = (struct pg_check_type){.servable = true, .cacheable = true};
        if (subject->exists.text != NULL)
                rc = check_sql(check, &sql, msg);
        for (uint32_t i = 0; i < record_types_count(check->types); i++) {
                type = record_types_at(check->types, i);
                if ((type->subject == NULL ? students : type->subject) == subject)
                        join(&check->of[i], &sql.found);
        }
        return rc;
}

static enum err check_type(struct pg_check *check, const struct record_type *type, struct err_msg *msg)
{
        struct pg_check_type *of = &check->of[type->index];
        struct pg_check_sql sql = {.name = type->name,
                .sql = &type->fetch,
                .subject = type->subject == NULL ? record_types_subject_at(check->types, 0) : type->subject,
                .type = type,
                .table = type->table,
                .id_kind = type->id_kind};
        enum err rc;

        if (type->fetch.text == NULL)
                return OK;
        rc = check_sql(check, &sql, msg);
        join(&sql.found, of);
        *of = sql.found;
        return rc;
}

static void join_parts(struct pg_check *check)
{
        for (uint32_t i = 0; i < record_types_count(check->types); i++) {
                const struct record_type *type = record_types_at(check->types, i);

                for (uint32_t k = 0; k < type->part_count; k++)
                        join(&check->of[i], &check->of[type->parts[k].type->index]);
        }
}

/* A schema that is not set up, or may not be read, is told of once, by those who poll it. */
static enum err find_watch(struct pg_check *check, struct err_msg *msg)
{
        PGresult *result;
        enum err rc = pg_check_ask(check,
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
                " ON n.oid = c.relnamespace WHERE n.nspname = 'vitalcache' AND c.relname = 'vc_watch'"
                " AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
                " AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))",
                NULL, &result, msg);

        check->watched = rc == OK && PQgetvalue(result, 0, 0)[0] == 't';
        PQclear(result);
        return rc;
}

static enum err run(struct pg_check *check, struct err_msg *msg)
{
        const uint32_t count = record_types_count(check->types);
        enum err rc = find_watch(check, msg);

        check->of = arena_array(&check->arena, count, sizeof(*check->of));
        if (check->of == NULL)
                return ERR_NOMEM;
        for (uint32_t i = 0; i < count; i++)
                check->of[i] = (struct pg_check_type){.servable = true, .cacheable = true};
        for (uint32_t i = 0; rc == OK && i < record_types_subject_count(check->types); i++)
                rc = check_subject(check, record_types_subject_at(check->types, i), msg);
        for (uint32_t i = 0; rc == OK && i < count; i++)
                rc = check_type(check, record_types_at(check->types, i), msg);
        join_parts(check);
        return rc;
}

enum err pg_check_run(struct pg_check **out, PGconn *conn, const struct record_types *types, enum pg_check_cover cover,
        struct err_msg *msg)
{
        struct pg_check *check = vc_calloc(1, sizeof(*check));
        enum err rc;

        *out = NULL;
        if (check == NULL)
                return err_set(msg, ERR_NOMEM, "no memory to check the definitions");
        arena_init(&check->arena);
        check->types = types;
        check->conn = conn;
        check->cover = cover;
        rc = run(check, msg);
        check->conn = NULL;
        if (rc == ERR_NOMEM)
                err_set(msg, rc, "no memory to check the definitions");
        if (rc == OK)
                *out = check;
        else
                pg_check_destroy(&check);
        return rc;
}

void pg_check_destroy(struct pg_check **check)
{
        if (*check == NULL)
                return;
        arena_deinit(&(*check)->arena);
        vc_free(*check);
        *check = NULL;
}

/* ---- what was found ---- */

const struct pg_check_type *pg_check_type(const struct pg_check *check, uint32_t index)
{
        VC_ASSERT(index < record_types_count(check->types));
        return &check->of[index];
}

uint32_t pg_check_problem_count(const struct pg_check *check)
{
        return check->problem_count;
}

const struct pg_check_problem *pg_check_problem_at(const struct pg_check *check, uint32_t index)
{
        VC_ASSERT(index < check->problem_count);
        return &check->problems[index];
}

enum err pg_check_verdict(const struct pg_check *check, struct err_msg *msg)
{
        for (uint32_t i = 0; i < check->problem_count; i++)
                if (check->problems[i].weight == PG_CHECK_WRONG)
                        return err_set(msg, ERR_CONFIG, "%s: %s", check->problems[i].place, check->problems[i].text);
        return OK;
}

uint32_t pg_check_view_count(const struct pg_check *check)
{
        return check->view_count;
}

const struct pg_check_view *pg_check_view_at(const struct pg_check *check, uint32_t index)
{
        VC_ASSERT(index < check->view_count);
        return &check->views[index];
}
