/* All records of a table or of a student, by EXPORT, one piece after the other. What is written meanwhile may be met or
 * not. */
#ifndef CLI_EXPORT_WALK_H
#define CLI_EXPORT_WALK_H

#include "cli/conn.h"

enum { EXPORT_TABLE_SIZE = 128 }; /* of a table's name, with its terminator */

/* A record; borrowed. */
struct export_row {
        const char *table;
        struct slice row; /* a msgpack map, as IMPORT takes it */
};

/* A walk; all borrowed. The connection speaks msgpack; nothing is on its way on it when `visit` and `piece` are called.
 * Any result of `visit` but OK ends the walk with that result. */
struct export_walk {
        struct conn *conn;
        const char *table;   /* NULL: all tables, of the student */
        const char *student; /* with `table` NULL; NULL too: all students, and tables that are configured no more */
        enum err (*visit)(void *context, const struct export_row *row, struct err_msg *msg);
        void (*piece)(void *context); /* after each piece; NULL: nobody wants to know */
        void *context;
};

/* Goes through the rows. ERR_NOTFOUND: the server has no such table. ERR_UNAVAILABLE: the connection broke.
 * ERR_INTERNAL: the server's error, or a reply that makes no sense. Or what `visit` returned. */
enum err export_walk(const struct export_walk *walk, struct err_msg *msg) MUST_CHECK;

#endif
