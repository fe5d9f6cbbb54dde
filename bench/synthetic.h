/* A source of truth without a database, for measuring the rest: every student is recorded and has a value of the size
 * asked for, and no student who is read ever changes. It is a polled source: a thread of its own publishes a poll every
 * `interval`, and each poll says that so many other students were touched since the last one. So every hit is proved by
 * the same certificate, and the same tags, that a node before PostgreSQL proves it by. */
#ifndef BENCH_SYNTHETIC_H
#define BENCH_SYNTHETIC_H

#include "database/source.h"
#include "invalidation/freshness.h"

struct synthetic_config {
        uint32_t value_size; /* of the JSON text, at least REQUESTS_VALUE_MIN: see bench/requests.h */
        uint32_t touches;    /* a second */
        struct nanos interval;
};

/* Opens the source and publishes its first poll. `freshness` outlives it. ERR_NOMEM, ERR_IO; *out is NULL then. Closed
 * as all sources are (source_ops), which ends the polls. */
enum err synthetic_open(struct source **out, const struct synthetic_config *config, struct freshness *freshness,
        struct err_msg *msg) MUST_CHECK;

#endif
