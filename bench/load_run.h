/* A run of the load generator: one thread, one epoll, all connections.
 *
 * Closed loop: a connection sends `pipeline` requests together, and the next ones when all are answered; latency counts
 * from sending. Open loop: bench/schedule.h says when each request is to be sent and latency counts from then; requests
 * go round all connections, behind those that are not answered yet. */
#ifndef BENCH_LOAD_RUN_H
#define BENCH_LOAD_RUN_H

#include "bench/histogram.h"
#include "bench/load_options.h"

struct load;

/* All but the last two are of the time that was measured, after the warm-up. */
struct load_result {
        uint64_t requests;          /* answered */
        struct nanos time;          /* how long it took */
        struct nanos server;        /* processor time of the server, all its threads; 0 when not asked for */
        struct nanos client;        /* the same of this process */
        struct histogram latencies; /* nanoseconds, of the requests answered */
        struct histogram lags;      /* open loop: by how much this client came late to send */
        uint64_t missing;           /* keys asked for in the whole run for which no value came */
        uint64_t errors;            /* error replies of the whole run, and values of another size than expected */
};

/* Opens all connections. ERR_IO with *msg, ERR_NOMEM; *out is NULL then. Borrows the options. One owner, as all calls
 * here. */
enum err load_create(struct load **out, const struct load_options *options, struct err_msg *msg) MUST_CHECK;
/* NULL-safe; nulls. */
void load_destroy(struct load **load);

/* Runs once, to the end. ERR_IO with *msg: a connection was lost, what came is of another protocol, or some requests
 * are not answered long after the end. */
enum err load_run(struct load *load, struct load_result *result, struct err_msg *msg) MUST_CHECK;

#endif
