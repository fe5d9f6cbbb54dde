/* Results as PostgreSQL would send them, made by hand. Tests of folders above `base` and `monitoring` only. */
#ifndef TESTS_LIB_PG_RESULT_H
#define TESTS_LIB_PG_RESULT_H

#include "tests/lib/test.h"

#include "database/pg_type.h"

#include <libpq-fe.h>

struct result_column {
        const char *name;
        uint32_t type;
};

/* A result in text form; `cells` row by row, NULL is SQL's. The caller clears it. */
static inline PGresult *result_of(
        const struct result_column *columns, int column_count, const char *const *cells, int row_count)
{
        PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
        PGresAttDesc attributes[16] = {{0}};

        assert_non_null(result);
        for (int i = 0; i < column_count; i++) {
                attributes[i].name = (char *)(uintptr_t)columns[i].name; /* copied */
                attributes[i].typid = columns[i].type;
        }
        assert_int_equal(PQsetResultAttrs(result, column_count, attributes), 1);
        for (int i = 0; i < row_count * column_count; i++) {
                const char *cell = cells[i];

                assert_int_equal(PQsetvalue(result, i / column_count, i % column_count, (char *)(uintptr_t)cell,
                                         cell == NULL ? -1 : (int)strlen(cell)),
                        1);
        }
        return result;
}

#endif
