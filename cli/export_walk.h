/* All records of a table, by EXPORT, one piece after the other. What is written meanwhile may or may not be met. */
#ifndef CLI_EXPORT_WALK_H
#define CLI_EXPORT_WALK_H

#include "cli/conn.h"

/* Gets a row, a msgpack map as IMPORT takes it, borrowed for the call; nothing is on its way on the connection then.
 * Any result but OK ends the walk with that result. */
typedef enum err (*export_walk_fn)(void *context, struct slice row, struct err_msg *msg);

/* A walk; all borrowed. The connection speaks msgpack. */
struct export_walk {
        struct conn *conn;
        const char *table;
        export_walk_fn visit;
        void *context;
};

/* Goes through the rows. ERR_NOTFOUND: the server has no such table. ERR_UNAVAILABLE: the connection broke.
 * ERR_INTERNAL: the server's error, or a reply that makes no sense. Or what `visit` returned. */
enum err export_walk(const struct export_walk *walk, struct err_msg *msg) MUST_CHECK;

#endif
