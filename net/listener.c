#include "net/listener.h"

#include "base/log.h"
#include "base/mem.h"

#include <event2/event.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
        BACKLOG = 1024,
        ACCEPTS_PER_WAKE_UP = 64,
        PAUSE_MS = 100 /* after the process ran out of descriptors */
};

struct listener {
        struct event *readable;
        struct event *resume;
        int fd;
        void (*accepted)(void *context, int client);
        void *context;
};

/* ---- sockets ---- */

static enum err code_of_errno(int number)
{
        switch (number) {
        case EADDRINUSE: return ERR_IN_USE;
        case EACCES:
        case EPERM: return ERR_PERMISSION;
        case EADDRNOTAVAIL: return ERR_CONFIG;
        default: return ERR_IO;
        }
}

static enum err resolve(const char *address, uint16_t port, struct addrinfo **out, struct err_msg *msg)
{
        const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
        char service[8];
        int rc;

        if (address[0] == '\0')
                return err_set(msg, ERR_CONFIG, "server.bind is empty; :: stands for all addresses");
        (void)snprintf(service, sizeof(service), "%u", port);
        rc = getaddrinfo(address, service, &hints, out);
        if (rc != 0)
                return err_set(msg, ERR_CONFIG, "cannot listen on %s (server.bind): %s", address, gai_strerror(rc));
        return OK;
}

static uint16_t bound_port(int fd)
{
        struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(bound);

        if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0)
                return 0;
        if (bound.ss_family == AF_INET6)
                return ntohs(((struct sockaddr_in6 *)(void *)&bound)->sin6_port);
        return ntohs(((struct sockaddr_in *)(void *)&bound)->sin_port);
}

/* Binds and listens; *port is set to the bound one. */
static enum err open_tcp(int *fd, const char *address, uint16_t *port, bool shared, struct err_msg *msg)
{
        const int on = 1;
        struct addrinfo *where;
        enum err rc = resolve(address, *port, &where, msg);

        *fd = -1;
        if (rc != OK)
                return rc;
        *fd = socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
                (shared && setsockopt(*fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
                bind(*fd, where->ai_addr, where->ai_addrlen) != 0 || listen(*fd, BACKLOG) != 0)
                rc = err_errno(msg, code_of_errno(errno), errno, "cannot listen on %s port %u", address, *port);
        freeaddrinfo(where);
        if (rc != OK && *fd >= 0)
                close(*fd);
        if (rc == OK)
                *port = bound_port(*fd);
        else
                *fd = -1;
        return rc;
}

enum err listener_probe(const char *address, uint16_t *port, struct err_msg *msg)
{
        int fd;
        enum err rc = open_tcp(&fd, address, port, false, msg);

        if (rc == OK)
                close(fd);
        return rc;
}

enum err listener_open_tcp(int *fd, const char *address, uint16_t port, struct err_msg *msg)
{
        return open_tcp(fd, address, &port, true, msg);
}

/* True when a process accepts connections at this address. */
static bool is_alive(const struct sockaddr_un *where)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool alive;

        if (fd < 0)
                return true; /* cannot tell, so leave the file alone */
        alive = connect(fd, (const struct sockaddr *)where, sizeof(*where)) == 0 || errno != ECONNREFUSED;
        close(fd);
        return alive;
}

static enum err clear_path(const struct sockaddr_un *where, struct err_msg *msg)
{
        struct stat info;

        if (lstat(where->sun_path, &info) != 0)
                return OK;
        if (!S_ISSOCK(info.st_mode))
                return err_set(msg, ERR_IN_USE, "cannot listen on %s: it exists and is no socket", where->sun_path);
        if (is_alive(where))
                return err_set(msg, ERR_IN_USE, "cannot listen on %s: another process does", where->sun_path);
        if (unlink(where->sun_path) != 0)
                return err_errno(
                        msg, code_of_errno(errno), errno, "cannot remove the stale socket %s", where->sun_path);
        LOG_INFO("removed a stale socket", LOG_PATH("path", where->sun_path));
        return OK;
}

enum err listener_open_unix(int *fd, const char *path, uint32_t mode, struct err_msg *msg)
{
        struct sockaddr_un where = {.sun_family = AF_UNIX};
        enum err rc;

        *fd = -1;
        if (strlen(path) >= sizeof(where.sun_path))
                return err_set(msg, ERR_CONFIG, "cannot listen on %s: a socket's path has at most %zu bytes", path,
                        sizeof(where.sun_path) - 1);
        memcpy(where.sun_path, path, strlen(path) + 1);
        rc = clear_path(&where, msg);
        if (rc != OK)
                return rc;
        *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (*fd < 0 || bind(*fd, (struct sockaddr *)&where, sizeof(where)) != 0 || chmod(path, mode) != 0 ||
                listen(*fd, BACKLOG) != 0) {
                rc = err_errno(msg, code_of_errno(errno), errno, "cannot listen on %s", path);
                if (*fd >= 0)
                        close(*fd);
                *fd = -1;
        }
        return rc;
}

/* ---- accepting ---- */

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
        struct listener *listener = arg;

        (void)fd;
        (void)what;
        (void)event_add(listener->readable, NULL);
}

/* Out of descriptors: the waiting connection would wake the loop again at once, for ever. */
static void pause_accepting(struct listener *listener, int number)
{
        const struct timeval wait = {.tv_usec = PAUSE_MS * 1000};

        LOG_WARNING("cannot accept connections for now", LOG_INT("errno", number), LOG_INT("pause_ms", PAUSE_MS));
        if (event_add(listener->resume, &wait) == 0)
                (void)event_del(listener->readable);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
        const int on = 1;
        struct listener *listener = arg;

        (void)what;
        for (int i = 0; i < ACCEPTS_PER_WAKE_UP; i++) {
                int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (client < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
                        pause_accepting(listener, errno);
                if (client < 0)
                        return; /* none left, or one that went away while it waited */
                /* fails for Unix sockets, which do not delay small replies anyway */
                (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
                listener->accepted(listener->context, client);
        }
}

enum err listener_create(struct listener **out, struct event_base *base, int fd,
        void (*accepted)(void *context, int client), void *context)
{
        struct listener *listener = vc_calloc(1, sizeof(*listener));

        *out = NULL;
        if (listener == NULL)
                return ERR_NOMEM;
        listener->fd = fd;
        listener->accepted = accepted;
        listener->context = context;
        listener->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, listener);
        listener->resume = event_new(base, -1, 0, on_resume, listener);
        if (listener->readable == NULL || listener->resume == NULL || event_add(listener->readable, NULL) != 0) {
                listener_destroy(&listener);
                return ERR_NOMEM;
        }
        *out = listener;
        return OK;
}

void listener_destroy(struct listener **listener)
{
        struct listener *l = *listener;

        *listener = NULL;
        if (l == NULL)
                return;
        if (l->readable != NULL)
                event_free(l->readable);
        if (l->resume != NULL)
                event_free(l->resume);
        vc_free(l);
}
