/* A simulated embedded source: one writer with commits in steps, aborts, commits whose outcome is unknown, and
 * restarts on a restored copy. It publishes through the hooks of invalidation/truth_lmdb.h, as the real one does. */
#ifndef TESTS_SIM_EMBEDDED_H
#define TESTS_SIM_EMBEDDED_H

#include "invalidation/truth_lmdb.h"
#include "tests/sim/world.h"

enum writer_state { WRITER_IDLE, WRITER_POISONED, WRITER_COMMITTED };

struct embedded {
        struct world *world;
        struct source_hooks hooks;
        uint64_t epochs;
        uint64_t txn;
        struct data data;
        enum writer_state writer;
        unsigned cells; /* of the write under way */
        uint32_t write; /* committed: its number in world.writes */
        struct {        /* what a backup holds */
                uint64_t txn;
                struct data data;
        } copy;
};

void embedded_begin(struct embedded *e, struct world *world);

/* Opens it for `f`, which knows nothing yet. */
void embedded_open(struct embedded *e, struct freshness *f);

/* The writer's next step: poison, commit or abort, publish and acknowledge. */
void embedded_write(struct embedded *e);

void embedded_back_up(struct embedded *e);

/* The process ends, its freshness with it, and the environment is perhaps replaced by the backup. embedded_open
 * follows. */
void embedded_restart(struct embedded *e);

struct embedded_read {
        uint64_t epoch;
        struct snapshot snapshot;
        struct data data;
};
void embedded_read(const struct embedded *e, struct embedded_read *out);

#endif
