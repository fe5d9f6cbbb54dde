/* The server: its sockets and its workers, started and stopped together. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/clock.h"
#include "base/err.h"

struct server;
struct services;

struct server_config {
        const char *bind;        /* an address or host name */
        uint16_t port;           /* 0: any free port */
        const char *socket_path; /* NULL or empty: no Unix socket */
        uint32_t socket_mode;
        uint32_t threads;
        struct nanos stop_patience; /* how long a stop waits for slow clients */
};

/* Opens the sockets and makes the workers and services->pubsub; sets services->port. Borrows `services`, which must be
 * complete but for these. ERR_IN_USE, ERR_PERMISSION, ERR_CONFIG, ERR_IO, ERR_NOMEM with *msg; *out is NULL then and
 * nothing is left behind. The control thread's, as all calls here. */
enum err server_create(struct server **out, const struct server_config *config, struct services *services,
        struct err_msg *msg) MUST_CHECK;

/* Runs the workers: from here on clients are served. ERR_IO; then server_destroy. */
enum err server_start(struct server *server, struct err_msg *msg) MUST_CHECK;

/* Stops gracefully: accepts no more, answers what has been read, ends the workers. What still posts to them (the
 * source's writer thread) is to be ended between this and server_destroy. NULL-safe; a second call does nothing. */
void server_stop(struct server *server);

/* Closes the sockets, frees. Stopped, or never started. NULL-safe; nulls. */
void server_destroy(struct server **server);

#endif
