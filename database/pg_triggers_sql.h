/* The bytes of pg_triggers.sql: the triggers that write touches.
 * The build has them from there; no NUL ends them. */
#ifndef DATABASE_PG_TRIGGERS_SQL_H
#define DATABASE_PG_TRIGGERS_SQL_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t pg_triggers_sql[];
extern const size_t pg_triggers_sql_len;

#endif
