#include "database/pg_snapshot.h"

#include "base/cursor.h"

#include <inttypes.h>

/* The next number of the list, up to a ',' or the end. */
static bool next_running(struct cursor *c, uint64_t *out)
{
        struct slice digits;

        if (!cursor_until(c, ',', &digits) && !cursor_take(c, cursor_left(c), &digits))
                return false;
        return slice_to_u64(digits, out);
}

static bool read_running(struct cursor *c, uint64_t xip[SNAPSHOT_MAX_RUNNING], size_t *count)
{
        uint64_t xid;

        for (*count = 0; cursor_left(c) > 0; (*count)++) {
                if (!next_running(c, &xid))
                        return false;
                if (*count < SNAPSHOT_MAX_RUNNING)
                        xip[*count] = xid;
        }
        return true;
}

bool pg_snapshot_read(struct slice text, struct snapshot *out)
{
        struct cursor c = cursor_of(text);
        uint64_t xip[SNAPSHOT_MAX_RUNNING];
        uint64_t xmin;
        uint64_t xmax;
        size_t running;
        struct slice part;

        if (!cursor_until(&c, ':', &part) || !slice_to_u64(part, &xmin))
                return false;
        if (!cursor_until(&c, ':', &part) || !slice_to_u64(part, &xmax) || xmin > xmax)
                return false;
        if (!read_running(&c, xip, &running))
                return false;
        *out = snapshot_of_primary(xmin, xmax, xip, running);
        return true;
}

enum err pg_snapshot_put(struct buf *out, const struct snapshot *snapshot)
{
        enum err rc = buf_printf(out, "%" PRIu64 ":%" PRIu64 ":", snapshot->xmin, snapshot->xmax);

        for (uint32_t i = 0; rc == OK && i < snapshot->running; i++)
                rc = buf_printf(out, "%s%" PRIu64, i == 0 ? "" : ",", snapshot->xip[i]);
        return rc;
}
