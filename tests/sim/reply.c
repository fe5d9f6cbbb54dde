/* The promise, as a test of each reply:
 *   all that it shows was true at one moment, which is not before the invocation less the bound, nor before a write
 *   whose hint had arrived, nor before the write of its token (nor after that write was lost), and not after now.
 * A write acknowledged before the invocation less the bound was visible by then, so no older state passes. What was
 * never in the database (a phantom, another database's value), or is no longer since too long ago (rolled back), was
 * true at no such moment. */
#include "tests/sim/node.h"

static int64_t later(int64_t a, int64_t b)
{
        return a > b ? a : b;
}

void node_reply(struct node *n, const struct read *read, const struct entry *entry, bool cached)
{
        struct world *w = n->side->world;
        const unsigned cells = node_cells_of_key(read->key);
        int64_t first = later(read->invoked.ns - read->bound.ns, read->hinted);
        int64_t last = w->now;

        if (cached)
                w->totals.cached++;
        else
                w->totals.direct++;
        if (entry->def != n->def)
                world_violation(w, "a value of another type definition");
        if (cached && read->invoked.ns >= entry->expires.ns)
                world_violation(w, "an entry past its expiry");
        if (!history_shows(&w->history, cells, &entry->data, first, last))
                world_violation(w, "a state older than promised, or one that never was");
        if (read->after == NULL)
                return;
        first = later(first, read->after->committed);
        if (read->after->lost <= last)
                last = read->after->lost - 1;
        if (!history_shows(&w->history, cells, &entry->data, first, last))
                world_violation(w, "a state without the write of the token");
}
