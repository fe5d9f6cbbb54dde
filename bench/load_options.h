/* What bench/load is asked to do. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "base/clock.h"
#include "bench/keys.h"
#include "bench/requests.h"

#include <sys/types.h>

struct load_options {
        uint16_t port; /* of 127.0.0.1 */
        struct requests_config request;
        struct keys_config keys;
        uint32_t connections;
        uint32_t pipeline; /* closed loop: requests sent together, the next ones when all are answered */
        uint64_t rate;     /* 0: closed loop; else requests a second, of all connections together */
        uint64_t requests; /* 0: as long as `seconds` says */
        struct nanos warmup;
        struct nanos measured; /* after the warm-up */
        pid_t server;          /* 0, or whose processor time is to be told */
        bool hold;             /* one request on each connection, then they stay open until standard input ends */
};

/* Fills in *out from the command line. ERR_BADARG says what is wrong. */
enum err load_options_parse(struct load_options *out, int argc, char **argv, struct err_msg *msg) MUST_CHECK;

/* What --help says. */
const char *load_options_help(void);

#endif
