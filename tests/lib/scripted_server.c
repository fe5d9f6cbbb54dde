#include "tests/lib/scripted_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 4 << 20 };

struct scripted_server {
        char path[108];
        const char *const *replies;
        int listener;
        int stop[2]; /* a pipe: a client that never comes does not hold the test */
        pthread_t thread;
        char *seen;
        size_t seen_len;
};

static bool read_line(FILE *in, char prefix, long *number)
{
        char line[64];

        if (fgets(line, sizeof(line), in) == NULL || line[0] != prefix)
                return false;
        *number = strtol(line + 1, NULL, 10);
        return true;
}

/* Reads one array of bulk strings and notes its words. False at the end of the connection. */
static bool take_request(struct scripted_server *server, FILE *in)
{
        long words;
        long len;

        if (!read_line(in, '*', &words))
                return false;
        for (long i = 0; i < words; i++) {
                if (!read_line(in, '$', &len) || len < 0 || server->seen_len + (size_t)len + 4 > REQUEST_MAX)
                        return false;
                if (i > 0)
                        server->seen[server->seen_len++] = ' ';
                if (fread(server->seen + server->seen_len, 1, (size_t)len + 2, in) != (size_t)len + 2)
                        return false;
                for (long byte = 0; byte < len; byte++, server->seen_len++)
                        if ((unsigned char)server->seen[server->seen_len] < ' ')
                                server->seen[server->seen_len] = '.';
        }
        server->seen[server->seen_len++] = '\n';
        server->seen[server->seen_len] = '\0';
        return true;
}

static void serve(struct scripted_server *server, int client)
{
        FILE *in = fdopen(client, "rb");

        for (size_t i = 0; server->replies[i] != NULL && take_request(server, in); i++)
                if (write(client, server->replies[i], strlen(server->replies[i])) < 0)
                        break;
        (void)fclose(in);
}

static void *run(void *context)
{
        struct scripted_server *server = context;
        struct pollfd wait[] = {{.fd = server->listener, .events = POLLIN}, {.fd = server->stop[0], .events = POLLIN}};

        if (poll(wait, 2, -1) > 0 && (wait[0].revents & POLLIN) != 0) {
                int client = accept(server->listener, NULL, NULL);

                if (client >= 0)
                        serve(server, client);
        }
        return NULL;
}

struct scripted_server *scripted_server_start(const char *folder, const char *const *replies)
{
        struct scripted_server *server = calloc(1, sizeof(*server));
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        assert_non_null(server);
        server->replies = replies;
        server->seen = calloc(1, REQUEST_MAX);
        assert_non_null(server->seen);
        (void)snprintf(server->path, sizeof(server->path), "%s/server.sock", folder);
        (void)unlink(server->path);
        memcpy(address.sun_path, server->path, sizeof(server->path));
        server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(server->listener >= 0);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(server->listener, 1), 0);
        assert_int_equal(pipe(server->stop), 0);
        assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
        return server;
}

const char *scripted_server_path(const struct scripted_server *server)
{
        return server->path;
}

char *scripted_server_stop(struct scripted_server **server)
{
        char *seen = (*server)->seen;

        assert_int_equal(close((*server)->stop[1]), 0); /* the other end becomes readable: poll returns */
        assert_int_equal(pthread_join((*server)->thread, NULL), 0);
        (void)close((*server)->stop[0]);
        (void)close((*server)->listener);
        (void)unlink((*server)->path);
        free(*server);
        *server = NULL;
        return seen;
}

int scripted_server_count(const char *asked, const char *words)
{
        int count = 0;

        for (const char *at = asked; at != NULL && *at != '\0';
                at = strchr(at, '\n') == NULL ? NULL : strchr(at, '\n') + 1)
                count += strncmp(at, words, strlen(words)) == 0 ? 1 : 0;
        return count;
}
