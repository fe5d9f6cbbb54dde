#include "database/pg_exchange.h"

#include <string.h>

void pg_statement_init(struct pg_statement *statement, const char *sql, const char *label)
{
        *statement = (struct pg_statement){.sql = sql, .label = label};
        statement->id = hash128(slice_of(sql, strlen(sql)), 0);
}

static const struct {
        const char *name;
        const char *text;
} failures[] = {
        [PG_FAILURE_NONE] = {"none", "nothing failed"},
        [PG_FAILURE_CONNECT] = {"connect", "there is no connection to PostgreSQL"},
        [PG_FAILURE_LOST] = {"lost", "the connection to PostgreSQL was lost"},
        [PG_FAILURE_DEADLINE] = {"deadline", "PostgreSQL did not answer in time"},
        [PG_FAILURE_EXHAUSTED] = {"exhausted", "all connections to PostgreSQL are busy"},
        [PG_FAILURE_CLOSED] = {"closed", "the connection to PostgreSQL is being closed"},
        [PG_FAILURE_MEMORY] = {"memory", "out of memory"},
};

const char *pg_failure_name(enum pg_failure failure)
{
        return failures[failure].name;
}

const char *pg_failure_text(enum pg_failure failure)
{
        return failures[failure].text;
}

struct slice pg_cell_bytes(const PGresult *result, int row, int column)
{
        return slice_of(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

int pg_find_column(const PGresult *result, const char *name)
{
        for (int i = 0; i < PQnfields(result); i++)
                if (strcmp(PQfname(result, i), name) == 0)
                        return i;
        return -1;
}

void pg_sqlstate(const PGresult *result, char *out)
{
        static const char allowed[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

        out[0] = '\0';
        if (state != NULL && strlen(state) == 5 && strspn(state, allowed) == 5)
                memcpy(out, state, 6);
}
