/* The bytes of pg_setup.sql: what vitalcache keeps in a PostgreSQL database.
 * The build has them from there; no NUL ends them. */
#ifndef DATABASE_PG_SETUP_SQL_H
#define DATABASE_PG_SETUP_SQL_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t pg_setup_sql[];
extern const size_t pg_setup_sql_len;

#endif
