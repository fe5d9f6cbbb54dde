#include "net/server.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/client_memory.h"
#include "net/listener.h"
#include "net/pubsub.h"
#include "net/services.h"
#include "net/worker.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/* A worker and the TCP socket that is its own. */
struct seat {
        struct worker *worker;
        int tcp;
};

struct server {
        struct server_config config;
        struct services *services;
        int unix_socket;
        uint32_t count; /* seats taken so far */
        uint32_t running;
        struct seat seats[];
};

/* The limit of descriptors after it was raised towards `wanted`: the soft one, which is ours to raise up to the hard
 * one, and where we may (as root) the hard one, too. */
static rlim_t raised_descriptor_limit(rlim_t wanted)
{
        struct rlimit limit;
        struct rlimit higher = {.rlim_cur = wanted, .rlim_max = wanted};

        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
                return wanted;
        if (limit.rlim_max < wanted && setrlimit(RLIMIT_NOFILE, &higher) == 0)
                return wanted;
        higher.rlim_max = limit.rlim_max;
        higher.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        return setrlimit(RLIMIT_NOFILE, &higher) == 0 ? higher.rlim_cur : limit.rlim_cur;
}

/* A shell's usual limit of 1024 descriptors is less than the usual limit of clients. Where it cannot be raised there
 * will be fewer clients: the one too many is told so, as it would not be if the server could not even accept it. */
static void fit_clients_to_descriptors(struct client_limits *limits)
{
        enum { OTHERS = 128 }; /* listeners, loops, the database, the log */
        uint64_t wanted = limits->clients + OTHERS;
        uint64_t descriptors = raised_descriptor_limit((rlim_t)wanted);

        if (descriptors >= wanted)
                return;
        limits->clients = descriptors > 2 * OTHERS ? descriptors - OTHERS : descriptors / 2;
        LOG_WARNING("fewer clients than server.max_clients: the limit of descriptors (ulimit -n) cannot be raised",
                LOG_UINT("max_clients", limits->clients), LOG_UINT("descriptors", descriptors),
                LOG_UINT("needed", wanted));
}

static enum err open_unix(struct server *server, struct err_msg *msg)
{
        const struct server_config *c = &server->config;

        if (c->socket_path == NULL || c->socket_path[0] == '\0')
                return OK;
        return listener_open_unix(&server->unix_socket, c->socket_path, c->socket_mode, msg);
}

static enum err add_worker(struct server *server, struct err_msg *msg)
{
        struct seat *seat = &server->seats[server->count];
        enum err rc;

        seat->tcp = -1;
        seat->worker = NULL;
        server->count++;
        rc = worker_create(&seat->worker, server->services, server->count - 1);
        if (rc != OK)
                return err_set(msg, rc, "cannot make a worker: %s", err_text(rc));
        pubsub_attach(server->services->pubsub, worker_lane(seat->worker));
        rc = listener_open_tcp(&seat->tcp, server->config.bind, server->services->port, msg);
        if (rc != OK)
                return rc;
        rc = worker_listen(seat->worker, seat->tcp);
        if (rc == OK && server->unix_socket >= 0)
                rc = worker_listen(seat->worker, server->unix_socket);
        return rc == OK ? OK : err_set(msg, rc, "cannot make a listener: %s", err_text(rc));
}

enum err server_create(
        struct server **out, const struct server_config *config, struct services *services, struct err_msg *msg)
{
        struct server *server = vc_calloc(1, sizeof(*server) + config->threads * sizeof(server->seats[0]));
        enum err rc;

        *out = NULL;
        if (server == NULL)
                return err_set(msg, ERR_NOMEM, "out of memory");
        server->config = *config;
        server->services = services;
        server->unix_socket = -1;
        services->port = config->port;
        fit_clients_to_descriptors(&services->limits);
        rc = pubsub_create(&services->pubsub, config->threads);
        if (rc == OK)
                rc = client_memory_create(&services->client_memory, services->limits.memory, config->threads);
        if (rc == OK)
                rc = listener_probe(config->bind, &services->port, msg);
        if (rc == OK)
                rc = open_unix(server, msg);
        while (rc == OK && server->count < config->threads)
                rc = add_worker(server, msg);
        if (rc != OK)
                server_destroy(&server);
        *out = server;
        return rc;
}

enum err server_start(struct server *server, struct err_msg *msg)
{
        sigset_t all;
        sigset_t before;
        enum err rc = OK;

        /* Signals are the control thread's; a thread inherits the mask of the one that makes it. */
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        while (rc == OK && server->running < server->count) {
                rc = worker_start(server->seats[server->running].worker, msg);
                if (rc == OK)
                        server->running++;
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        return rc;
}

void server_stop(struct server *s)
{
        if (s == NULL)
                return;
        for (uint32_t i = 0; i < s->running; i++)
                worker_stop(s->seats[i].worker, s->config.stop_patience);
        for (uint32_t i = 0; i < s->running; i++) /* all of them, before any ends: they post to one another */
                worker_await_empty(s->seats[i].worker);
        for (uint32_t i = 0; i < s->running; i++)
                worker_end(s->seats[i].worker);
        s->running = 0;
}

void server_destroy(struct server **server)
{
        struct server *s = *server;

        *server = NULL;
        if (s == NULL)
                return;
        VC_ASSERT(s->running == 0);
        for (uint32_t i = 0; i < s->count; i++) {
                worker_destroy(&s->seats[i].worker);
                if (s->seats[i].tcp >= 0)
                        close(s->seats[i].tcp);
        }
        if (s->unix_socket >= 0) {
                close(s->unix_socket);
                if (unlink(s->config.socket_path) != 0)
                        LOG_WARNING("cannot remove the socket", LOG_PATH("path", s->config.socket_path));
        }
        client_memory_destroy(&s->services->client_memory);
        pubsub_destroy(&s->services->pubsub);
        vc_free(s);
}
