/* A node: all parts of a vitalcached, set up in the order in which they need one another and taken down in reverse. The
 * table of contents of the house:
 *
 *      record types -> freshness -> source -> L1 -> tiers -> command table -> server (sockets, workers)
 *
 * Of a polled source the follower, which publishes into freshness, is a part (net/postgres.h). */
#ifndef NET_NODE_H
#define NET_NODE_H

#include "cache/l1.h"
#include "cache/tiers.h"
#include "database/lmdb_source.h"
#include "net/postgres.h"
#include "net/server.h"
#include "net/services.h"

struct node;

/* The first two in the order of database.kind's words. */
enum node_database { NODE_LMDB, NODE_POSTGRES, NODE_OTHER };

/* A source that is the caller's own, before the same node: what publishes into `freshness`, as a polled source does, is
 * the source's affair, from its opening to its close. */
struct node_other {
        enum err (*open)(void *context, struct freshness *freshness, struct source **out, struct err_msg *msg);
        void *context;
};

/* What the settings say, part by part. Everything that it points to outlives the node. */
struct node_config {
        const struct record_types *types;
        const char *data_path;   /* folder; may be relative */
        const char *config_path; /* NULL: none */
        uint32_t slots;          /* of the freshness table; a power of two */
        enum node_database kind;
        struct lmdb_config lmdb;         /* path, schema and hooks are set by the node */
        struct postgres_config postgres; /* node is set by the node when it is empty */
        struct node_other other;         /* NODE_OTHER */
        bool l1_enabled;
        struct l1_config l1; /* seed is set by the node */
        const char *policy;  /* of L1, "auto" among them; that of `l1` is what it begins with */
        bool whatif_enabled;
        struct l1_sampling sampling;
        struct tiers_config tiers; /* parts are set by the node */
        struct server_config server;
        struct client_limits limits;
        struct config_port config;
};

/* Opens all parts; clients can connect but are not served yet. Every fault that a start can have, with *msg for the
 * person at the terminal: ERR_CONFIG, ERR_LOCKED, ERR_VERSION, ERR_IN_USE, ERR_PERMISSION, ERR_CORRUPT, ERR_DISK_FULL,
 * ERR_IO, ERR_NOMEM; *out is NULL then and nothing is left behind. The control thread's, as all calls here. */
enum err node_open(struct node **out, const struct node_config *config, struct err_msg *msg) MUST_CHECK;

/* From here on clients are served. ERR_IO; then node_close. */
enum err node_start(struct node *node, struct err_msg *msg) MUST_CHECK;

/* Stops gracefully and takes everything down. NULL-safe; nulls. */
void node_close(struct node **node);

/* The parts; for the start-up line and for what a reload changes. */
struct services *node_services(struct node *node);

#endif
