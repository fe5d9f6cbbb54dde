#include "tests/sim/history.h"

#include "base/assert.h"

static void append(struct history *h, unsigned cell, uint32_t version, int64_t from)
{
        VC_ASSERT(h->count[cell] < SEGMENTS_MAX);
        h->segments[cell][h->count[cell]++] = (struct segment){version, from, INT64_MAX};
}

void history_begin(struct history *h, const struct data *data)
{
        for (unsigned cell = 0; cell < CELLS; cell++) {
                h->count[cell] = 0;
                append(h, cell, data->version[cell], 0);
        }
}

void history_change(struct history *h, const struct data *data, int64_t now)
{
        for (unsigned cell = 0; cell < CELLS; cell++) {
                struct segment *last = &h->segments[cell][h->count[cell] - 1];

                if (last->version == data->version[cell])
                        continue;
                last->until = now;
                append(h, cell, data->version[cell], now);
        }
}

bool history_has_room(const struct history *h)
{
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if (h->count[cell] == SEGMENTS_MAX)
                        return false;
        }
        return true;
}

static bool had(const struct history *h, unsigned cell, uint32_t version, int64_t when)
{
        for (uint32_t i = 0; i < h->count[cell]; i++) {
                const struct segment *s = &h->segments[cell][i];

                if (s->version == version && s->from <= when && when < s->until)
                        return true;
        }
        return false;
}

static bool all_had(const struct history *h, unsigned cells, const struct data *data, int64_t when)
{
        for (unsigned cell = 0; cell < CELLS; cell++) {
                if ((cells & 1u << cell) && !had(h, cell, data->version[cell], when))
                        return false;
        }
        return true;
}

/* What is shown begins to be true when the last of its versions appears: it is enough to look at those moments, and
 * at the first. */
bool history_shows(const struct history *h, unsigned cells, const struct data *data, int64_t first, int64_t last)
{
        if (first > last)
                return false;
        if (all_had(h, cells, data, first))
                return true;
        for (unsigned cell = 0; cell < CELLS; cell++) {
                for (uint32_t i = 0; (cells & 1u << cell) && i < h->count[cell]; i++) {
                        int64_t when = h->segments[cell][i].from;

                        if (first < when && when <= last && all_had(h, cells, data, when))
                                return true;
                }
        }
        return false;
}
