/* What the files of a connection share: pg_conn.c (its life), pg_conn_exchange.c (what it sends and receives). */
#ifndef DATABASE_PG_CONN_PARTS_H
#define DATABASE_PG_CONN_PARTS_H

#include "database/pg_conn.h"
#include "database/pg_lookup.h"
#include "database/pg_statements.h"

#include <event2/event.h>

/* What PostgreSQL still owes, in order. */
enum pg_reply_kind { PG_REPLY_DEALLOCATED, PG_REPLY_PREPARED, PG_REPLY_RESULT, PG_REPLY_SYNC };

struct pg_reply {
        enum pg_reply_kind kind;
        uint32_t step;
        struct pg_use use;
};

struct pg_conn {
        struct pg_conn_config config;
        enum pg_conn_state state;
        PGconn *pg;               /* NULL while the hosts are looked up */
        struct pg_lookup *lookup; /* opening, and the name service was asked */
        uint32_t first_host;
        struct event *readable;
        struct event *writable;
        struct event *timer; /* until; and at once when `broken` */
        struct nanos until;
        bool broken; /* a send failed within a call of the owner: told from the loop */

        struct pg_exchange *exchange; /* the one that runs: the owner's or `own` */
        struct pg_exchange own;       /* greeting or ROLLBACK */
        struct pg_step own_step;
        struct pg_statement own_statement;

        struct pg_statements *statements;
        struct pg_use *uses; /* by step */
        struct pg_reply *replies;
        uint32_t capacity; /* of uses and replies, in steps */
        uint32_t reply_count;
        uint32_t reply_next;
        bool reply_seen;       /* of reply_next: its result has come, its end has not */
        bool sent;             /* bytes of the exchange may have left */
        PGresult *unprepared;  /* why the next step's preparation failed */
        char last_sqlstate[6]; /* of a FATAL, or of a failed greeting */
};

/* Sends conn->exchange (state and timer are set). False: the connection is of no use any more; or, with
 * exchange->failure PG_FAILURE_MEMORY, nothing was sent. */
bool pg_conn_send(struct pg_conn *conn);

/* Takes the results that have arrived. False: the connection is of no use any more. */
bool pg_conn_receive(struct pg_conn *conn);

/* All that is owed has come. */
static inline bool pg_conn_received_all(const struct pg_conn *conn)
{
        return conn->reply_next == conn->reply_count;
}

/* Forgets the exchange's replies: it has ended, one way or another. */
void pg_conn_forget_replies(struct pg_conn *conn);

#endif
