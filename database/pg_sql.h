/* The statements of the reads: made once for a source, and shared by all its loops. */
#ifndef DATABASE_PG_SQL_H
#define DATABASE_PG_SQL_H

#include "database/pg_exchange.h"
#include "database/pg_server.h"
#include "database/record_type.h"

struct pg_sql {
        struct pg_statement begin;        /* of a transaction with one snapshot for all its statements */
        struct pg_statement session;      /* our settings, where a session cannot keep them */
        struct pg_statement here;         /* snapshot, epoch, time (pg_meta.h) */
        struct pg_statement here_replica; /* the same on a standby */
        struct pg_statement here_bare;    /* the same without the schema `vitalcache`: no epoch */
        struct pg_statement savepoint;
        struct pg_statement back; /* undoes what failed since, or nothing */
        struct pg_statement commit;
        struct pg_statement unmodified;
        struct pg_statement beat;
        struct pg_statement steady;        /* whether DDL has changed relations behind the snapshot */
        struct pg_statement *fetch_text;   /* by the types' index; composites have none */
        struct pg_statement *fetch_binary; /* the same with binary results */
        struct pg_statement *exists;       /* by the subjects' index; those without have no sql */
        char session_text[PG_SERVER_SQL_SIZE];
};

/* `types` and `server` are borrowed. ERR_NOMEM, ERR_LIMIT (settings too long); then *sql needs no deinit. */
enum err pg_sql_init(struct pg_sql *sql, const struct record_types *types, const struct pg_server *server) MUST_CHECK;
void pg_sql_deinit(struct pg_sql *sql);

#endif
