/* Why there is no connection, in words of our own: PostgreSQL's texts name roles, hosts and rows; they stay out of
 * logs. */
#ifndef DATABASE_PG_TROUBLE_H
#define DATABASE_PG_TROUBLE_H

#include <stdbool.h>

/* Why an attempt to connect failed, or a connection was lost. */
struct pg_trouble {
        bool opening;     /* it never was open */
        bool no_answer;   /* a time-out: whoever it was did not answer */
        char sqlstate[6]; /* PostgreSQL's, or "" */
        const char *text; /* our own words for people ("the role or its password was refused"); a literal */
};

/* The trouble that libpq tells of in `message` (PQerrorMessage, verbosity PQERRORS_SQLSTATE) after a failed attempt to
 * connect. Any thread. */
struct pg_trouble pg_trouble_of_connect(const char *message);

/* The trouble of a session that ended; `sqlstate` is PostgreSQL's last word, or "". Any thread. */
struct pg_trouble pg_trouble_of_loss(const char *sqlstate);

/* Nothing came in time: neither a connection (opening) nor an answer. Any thread. */
struct pg_trouble pg_trouble_of_silence(bool opening);

#endif
