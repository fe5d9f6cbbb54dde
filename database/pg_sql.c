#include "database/pg_sql.h"

#include "base/mem.h"

/* Before RR's snapshot is taken nothing is read; the time is the transaction's own, as now() in a type's SQL is. */
#define HERE_TIME "(extract(epoch FROM transaction_timestamp()) * 1000000)::bigint"
/* The commit waits for the replica, whatever the role's settings are. */
#define BEAT "SELECT pg_catalog.set_config('synchronous_commit', 'on', true), vitalcache.vc_beat($1)"

static void init_own(struct pg_sql *sql)
{
        pg_statement_init(&sql->begin, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "begin");
        pg_statement_init(&sql->here, "SELECT snapshot, epoch, " HERE_TIME " FROM vitalcache.vc_here()", "here");
        pg_statement_init(&sql->here_replica, "SELECT snapshot, epoch, " HERE_TIME " FROM vitalcache.vc_here_replica()",
                "here_replica");
        pg_statement_init(&sql->here_bare,
                "SELECT pg_current_snapshot()::text, NULL::bigint, " HERE_TIME " WHERE NOT pg_is_in_recovery()",
                "here_bare"); /* vc_here() fails on a standby by itself */
        pg_statement_init(&sql->savepoint, "SAVEPOINT p", "savepoint");
        pg_statement_init(&sql->back, "ROLLBACK TO p", "back");
        pg_statement_init(&sql->commit, "COMMIT", "commit");
        pg_statement_init(&sql->unmodified,
                "SELECT n, unmodified FROM vitalcache.vc_unmodified($1::integer[], $2::bytea[], $3::text[])",
                "unmodified");
        pg_statement_init(&sql->beat, BEAT, "beat");
        pg_statement_init(&sql->steady, "SELECT vitalcache.vc_steady($1::text[])", "steady");
        pg_statement_init(&sql->session, sql->session_text, "session");
        sql->begin.once = true;
        sql->savepoint.once = true;
        sql->back.once = true;
        sql->commit.once = true;
        sql->session.once = true;
}

static void init_types(struct pg_sql *sql, const struct record_types *types)
{
        for (uint32_t i = 0; i < record_types_count(types); i++) {
                const struct record_type *type = record_types_at(types, i);

                if (type->fetch.text == NULL)
                        continue;
                pg_statement_init(&sql->fetch_text[i], type->fetch.text, type->name);
                pg_statement_init(&sql->fetch_binary[i], type->fetch.text, type->name);
                sql->fetch_binary[i].binary_results = true;
        }
        for (uint32_t i = 0; i < record_types_subject_count(types); i++) {
                const struct record_subject *subject = record_types_subject_at(types, i);

                if (subject->exists.text != NULL)
                        pg_statement_init(&sql->exists[i], subject->exists.text, subject->name);
        }
}

enum err pg_sql_init(struct pg_sql *sql, const struct record_types *types, const struct pg_server *server)
{
        const uint32_t count = record_types_count(types);
        enum err rc;

        *sql = (struct pg_sql){.fetch_text = NULL};
        rc = pg_server_session_sql(server, sql->session_text);
        if (rc != OK)
                return rc;
        sql->fetch_text = vc_calloc(count, sizeof(*sql->fetch_text));
        sql->fetch_binary = vc_calloc(count, sizeof(*sql->fetch_binary));
        sql->exists = vc_calloc(record_types_subject_count(types), sizeof(*sql->exists));
        if (sql->fetch_text == NULL || sql->fetch_binary == NULL || sql->exists == NULL) {
                pg_sql_deinit(sql);
                return ERR_NOMEM;
        }
        init_own(sql);
        init_types(sql, types);
        return OK;
}

void pg_sql_deinit(struct pg_sql *sql)
{
        vc_free(sql->fetch_text);
        vc_free(sql->fetch_binary);
        vc_free(sql->exists);
        *sql = (struct pg_sql){.fetch_text = NULL};
}
