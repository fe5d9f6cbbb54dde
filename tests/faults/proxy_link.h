/* The connections of fault_proxy: a client, the server, and what happens to the bytes between them. */
#ifndef TESTS_FAULTS_PROXY_LINK_H
#define TESTS_FAULTS_PROXY_LINK_H

#include "base/list.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct event_base;

enum link_way {
        LINK_UP,  /* client to server */
        LINK_DOWN /* server to client */
};

enum at_commit {
        COMMIT_PASSES,
        COMMIT_LOST, /* the server gets it, its answer goes nowhere, then the client's connection breaks */
        COMMIT_EATEN /* the connection breaks before the server gets it */
};

struct link_faults {
        long delay_ms[2];
        bool cut[2];
        long reset_after; /* bytes of reset_way; -1: never */
        enum link_way reset_way;
        enum at_commit at_commit;
};

union link_address {
        struct sockaddr any;
        struct sockaddr_in inet;
        struct sockaddr_un local;
};

struct proxy {
        struct event_base *base;
        union link_address upstream;
        socklen_t upstream_len;
        struct link_faults faults;
        bool refusing;
        struct list links;
        size_t link_count;
        uint64_t bytes[2];
        uint64_t faults_made; /* connections broken or refused */
};

/* `text` is 127.0.0.1:5432 or /path. */
bool link_address_parse(const char *text, union link_address *out, socklen_t *len);

/* Connects `fd`, which it owns from now on, with the server. */
void proxy_accept(struct proxy *p, int fd);

/* Hands over what a cut has held, after it was healed. */
void proxy_pump(struct proxy *p);

/* Breaks all connections. */
void proxy_reset(struct proxy *p);

#endif
