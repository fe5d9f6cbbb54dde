#include "tests/sim/world.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>

void world_begin(struct world *w, uint64_t seed, bool tracing)
{
        w->chance = seed;
        w->now = 1;
        w->tracing = tracing;
        w->versions = 0;
        w->write_count = 0;
        w->violation = NULL;
        world_new_versions(w, ALL_CELLS, &w->initial);
        history_begin(&w->history, &w->initial);
}

uint32_t world_random(struct world *w, uint32_t n)
{
        return (uint32_t)((random_next(&w->chance) >> 32) * n >> 32);
}

bool world_chance(struct world *w, uint32_t percent)
{
        return world_random(w, 100) < percent;
}

void world_tick(struct world *w)
{
        w->now += world_chance(w, 10) ? 1 + world_random(w, 8) : 1;
}

void world_trace(const struct world *w, const char *format, ...)
{
        va_list args;

        if (!w->tracing)
                return;
        va_start(args, format);
        printf("%5lld  ", (long long)w->now);
        vprintf(format, args);
        putchar('\n');
        va_end(args);
}

void world_new_versions(struct world *w, unsigned cells, struct data *data)
{
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (cells & 1u << cell)
                        data->version[cell] = ++w->versions;
        }
}

bool world_may_commit(const struct world *w)
{
        return w->write_count < WRITES_MAX && history_has_room(&w->history);
}

uint32_t world_commit(struct world *w, const struct write *write, const struct data *data)
{
        struct write *record = &w->writes[w->write_count];

        VC_ASSERT(world_may_commit(w));
        *record = *write;
        record->committed = w->now;
        record->lost = INT64_MAX;
        history_change(&w->history, data, w->now);
        return w->write_count++;
}

void world_violation(struct world *w, const char *what)
{
        world_trace(w, "VIOLATION: %s", what);
        if (w->violation == NULL)
                w->violation = what;
}
