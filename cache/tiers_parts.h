/* What the tiers consist of, for the files of cache/ that make a read together: tiers.c, reader.c, lookup.c, answer.c,
 * store.c. */
#ifndef CACHE_TIERS_PARTS_H
#define CACHE_TIERS_PARTS_H

#include "base/mailbox.h"
#include "cache/batch.h"
#include "cache/fills.h"
#include "cache/reader.h"

#include <pthread.h>

struct tiers {
        struct tiers_config config;
        struct fills *fills;
        _Atomic uint64_t jitter; /* lifetimes drawn so far, from the seed on */
};

struct reader {
        struct tiers *tiers;
        struct source_port *port; /* its loop's way into the source */
        struct batch *batch;
        struct mailbox *answers; /* lookups of this reader that fills of other threads have answered */
        pthread_t thread;        /* of its loop, known from the first time that it sends reads */
        bool thread_known;
};

#endif
