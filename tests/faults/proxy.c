/* fault_proxy: passes bytes between clients and a server, and breaks what passes as it is told.
 *
 *      fault_proxy <listen> <upstream>         each host:port, or the path of a Unix socket; port 0: any that is free
 *
 * It prints `listening <port or path>`. Then it takes one command a line from stdin and answers `ok`, or `error`:
 *
 *      pass                    no faults from now on, not even refusing; what a cut has held arrives
 *      delay <ms> [up|down]    bytes arrive so much later; up: towards the server, down: towards the client
 *      cut [up|down]           bytes of that direction do not arrive, the connections stand; no word: of both
 *      reset                   all present connections are broken
 *      reset-after <n> up|down the next connection that passes n more bytes there is broken right after them
 *      commit-lost             a connection whose client sends COMMIT: the server gets it, its answer never arrives
 *      commit-eaten            the server never gets it
 *      refuse / accept         new connections are refused / accepted again
 *      state                   answers `ok <connections> <bytes up> <bytes down> <faults made>`
 *
 * It ends at the end of stdin. One thread. */
#include "tests/faults/proxy_link.h"

#include <event2/event.h>
#include <event2/listener.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_MAX = 256 };

struct control {
        struct proxy proxy;
        struct evconnlistener *listener;
        char line[COMMAND_MAX];
        size_t used;
};

static bool parse_direction(const char *word, bool ways[2])
{
        ways[LINK_UP] = word[0] == 0 || strcmp(word, "up") == 0;
        ways[LINK_DOWN] = word[0] == 0 || strcmp(word, "down") == 0;
        return ways[LINK_UP] || ways[LINK_DOWN];
}

static bool run_cut(struct proxy *p, const char *direction)
{
        bool ways[2];

        if (!parse_direction(direction, ways))
                return false;
        for (int way = 0; way < 2; way++)
                p->faults.cut[way] = p->faults.cut[way] || ways[way];
        return true;
}

static bool run_delay(struct proxy *p, const char *amount, const char *direction)
{
        bool ways[2];
        char *end;
        long ms = strtol(amount, &end, 10);

        if (end == amount || *end != 0 || ms < 0 || !parse_direction(direction, ways))
                return false;
        for (int way = 0; way < 2; way++)
                p->faults.delay_ms[way] = ways[way] ? ms : p->faults.delay_ms[way];
        return true;
}

static bool run_reset_after(struct proxy *p, const char *amount, const char *direction)
{
        bool ways[2];
        char *end;
        long bytes = strtol(amount, &end, 10);

        if (end == amount || *end != 0 || bytes < 0 || direction[0] == 0 || !parse_direction(direction, ways))
                return false;
        p->faults.reset_after = bytes;
        p->faults.reset_way = ways[LINK_UP] ? LINK_UP : LINK_DOWN;
        return true;
}

static void heal(struct proxy *p)
{
        p->faults = (struct link_faults){.reset_after = -1};
        p->refusing = false;
        proxy_pump(p);
}

static bool run_words(struct control *c, const char *verb, const char *first, const char *second)
{
        struct proxy *p = &c->proxy;

        if (strcmp(verb, "pass") == 0)
                heal(p);
        else if (strcmp(verb, "delay") == 0)
                return run_delay(p, first, second);
        else if (strcmp(verb, "cut") == 0)
                return run_cut(p, first);
        else if (strcmp(verb, "reset") == 0)
                proxy_reset(p);
        else if (strcmp(verb, "reset-after") == 0)
                return run_reset_after(p, first, second);
        else if (strcmp(verb, "commit-lost") == 0)
                p->faults.at_commit = COMMIT_LOST;
        else if (strcmp(verb, "commit-eaten") == 0)
                p->faults.at_commit = COMMIT_EATEN;
        else if (strcmp(verb, "refuse") == 0 || strcmp(verb, "accept") == 0)
                p->refusing = strcmp(verb, "refuse") == 0;
        else
                return strcmp(verb, "state") == 0;
        return true;
}

static void run_line(struct control *c, const char *line)
{
        char verb[32] = "", first[32] = "", second[32] = "";
        const struct proxy *p = &c->proxy;

        (void)sscanf(line, "%31s %31s %31s", verb, first, second);
        if (!run_words(c, verb, first, second))
                puts("error");
        else if (strcmp(verb, "state") == 0)
                printf("ok %zu %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", p->link_count, p->bytes[LINK_UP],
                        p->bytes[LINK_DOWN], p->faults_made);
        else
                puts("ok");
        (void)fflush(stdout);
}

static void on_input(evutil_socket_t fd, short what, void *context)
{
        struct control *c = context;
        ssize_t got = read(fd, c->line + c->used, sizeof c->line - c->used);
        char *end;

        (void)what;
        if (got <= 0) {
                event_base_loopbreak(c->proxy.base);
                return;
        }
        c->used += (size_t)got;
        while ((end = memchr(c->line, '\n', c->used)) != NULL) {
                size_t len = (size_t)(end - c->line) + 1;

                *end = 0;
                run_line(c, c->line);
                c->used -= len;
                memmove(c->line, c->line + len, c->used);
        }
        if (c->used == sizeof c->line)
                event_base_loopbreak(c->proxy.base);
}

static void on_accept(
        struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int len, void *context)
{
        (void)listener;
        (void)peer;
        (void)len;
        proxy_accept(context, fd);
}

static void print_address(struct control *c, const char *listen)
{
        union link_address bound;
        socklen_t len = sizeof bound;

        if (strchr(listen, '/') != NULL)
                printf("listening %s\n", listen);
        else if (getsockname(evconnlistener_get_fd(c->listener), &bound.any, &len) == 0)
                printf("listening %d\n", ntohs(bound.inet.sin_port));
        (void)fflush(stdout);
}

static int run(struct control *c, const char *listen, const char *upstream)
{
        union link_address own;
        socklen_t own_len;
        struct event *input;

        if (!link_address_parse(listen, &own, &own_len) ||
                !link_address_parse(upstream, &c->proxy.upstream, &c->proxy.upstream_len)) {
                (void)fprintf(stderr, "fault_proxy: an address is host:port (an IPv4 address) or /path\n");
                return 2;
        }
        c->listener = evconnlistener_new_bind(c->proxy.base, on_accept, &c->proxy,
                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128, &own.any, (int)own_len);
        input = event_new(c->proxy.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, c);
        if (c->listener == NULL || input == NULL || event_add(input, NULL) != 0) {
                perror("fault_proxy");
                return 1;
        }
        print_address(c, listen);
        (void)event_base_dispatch(c->proxy.base);
        event_free(input);
        evconnlistener_free(c->listener);
        proxy_reset(&c->proxy);
        return 0;
}

int main(int argc, char **argv)
{
        static struct control control;
        int code;

        if (argc != 3) {
                (void)fprintf(stderr, "usage: fault_proxy <listen> <upstream>   (commands: the head of its source)\n");
                return 2;
        }
        control.proxy = (struct proxy){.base = event_base_new(), .faults = {.reset_after = -1}};
        if (control.proxy.base == NULL)
                return 1;
        code = run(&control, argv[1], argv[2]);
        event_base_free(control.proxy.base);
        return code;
}
