/* What all parts of the simulator share: the seeded chance, the virtual clock, the truth, the writes that were made
 * and the verdict. One schedule is one world. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/clock.h"
#include "database/mutant.h"
#include "database/snapshot.h"
#include "tests/sim/history.h"

enum { WRITES_MAX = 48 };

/* A committed write, as the one who made it knows it. */
struct write {
        uint64_t epoch; /* of its token; 0: the source could not say */
        uint64_t n;     /* of its token */
        unsigned cells;
        int64_t committed;
        int64_t lost; /* when a crash took it back; INT64_MAX: never */
        bool acknowledged;
};

struct totals {
        uint64_t steps;
        uint64_t direct; /* replies by a fill sent after the read's invocation */
        uint64_t cached; /* replies that freshness_check let through */
        uint64_t refused;
        uint64_t epochs;
};

struct world {
        uint64_t chance; /* state of the generator */
        int64_t now;
        bool tracing;
        struct history history;
        struct data initial;
        struct write writes[WRITES_MAX];
        uint32_t write_count;
        uint32_t versions; /* given so far */
        const char *violation;
        struct totals totals;
};

void world_begin(struct world *w, uint64_t seed, bool tracing);

/* A number below n. */
uint32_t world_random(struct world *w, uint32_t n);
bool world_chance(struct world *w, uint32_t percent);

/* Time passes: at least 1, so that no two events share a moment. */
void world_tick(struct world *w);

/* A line of the trace, with the time before it. */
void world_trace(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives the cells of the mask new versions in *data. */
void world_new_versions(struct world *w, unsigned cells, struct data *data);

/* Records a write that becomes visible now and leaves the database with `data`; its number in w->writes. */
uint32_t world_commit(struct world *w, const struct write *write, const struct data *data);
bool world_may_commit(const struct world *w);

/* The promise is broken: the schedule ends. */
void world_violation(struct world *w, const char *what);

#endif
