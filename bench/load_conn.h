/* One connection of the load generator: requests that wait to be sent, those under way, and replies as they come. */
#ifndef BENCH_LOAD_CONN_H
#define BENCH_LOAD_CONN_H

#include "base/clock.h"
#include "bench/replies.h"

struct load_conn;

struct load_conn_config {
        uint16_t port;
        const struct requests *requests;
        uint32_t value_size;
        uint32_t depth; /* requests that may be under way or waiting */
};

/* Connects to 127.0.0.1. ERR_IO with *msg, ERR_NOMEM; *out is NULL then. One owner, as all calls here. */
enum err load_conn_open(struct load_conn **out, const struct load_conn_config *config, struct err_msg *msg) MUST_CHECK;
/* NULL-safe; nulls. */
void load_conn_close(struct load_conn **conn);

/* Its socket; constant. */
int load_conn_fd(const struct load_conn *conn);
/* What has come so far; borrowed. */
const struct replies *load_conn_replies(const struct load_conn *conn);
/* Requests added and not yet taken as answered. */
uint32_t load_conn_under_way(const struct load_conn *conn);

/* Adds a request for these keys, whose latency counts from `since`. Fewer than `depth` are under way. */
void load_conn_add(struct load_conn *conn, const uint32_t *keys, struct nanos since);

/* Sends what waits, in one call of the system if it takes all. *blocked: it does not; call again when the socket is
 * writable. ERR_IO: the connection is lost. */
enum err load_conn_send(struct load_conn *conn, bool *blocked) MUST_CHECK;

/* Reads once; *answered is how many requests that has answered, perhaps 0. ERR_IO: the connection is lost, or what came
 * is not of the protocol. */
enum err load_conn_read(struct load_conn *conn, uint32_t *answered, struct err_msg *msg) MUST_CHECK;

/* Takes the oldest of the requests that load_conn_read called answered; returns its `since`. */
struct nanos load_conn_take(struct load_conn *conn);

#endif
