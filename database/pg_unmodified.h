/* "Not modified": whether what readers hold still is what a read would bring, asked with one look into an index instead
 * of reading the data again (docs/FRESHNESS.md, 3.2). */
#ifndef DATABASE_PG_UNMODIFIED_H
#define DATABASE_PG_UNMODIFIED_H

#include "database/pg_meta.h"
#include "database/pg_plan.h"

/* The question about a plan's reads, and the answers. */
struct pg_unmodified {
        struct buf owners; /* array literals */
        struct buf tags;
        struct buf snapshots;
        const char *values[3];
        bool *unmodified; /* by the plan's items */
};

/* Plans the check of the reads, all of which have `known`. ERR_NOMEM, ERR_LIMIT: neither *plan nor *check needs a
 * deinit then. */
enum err pg_unmodified_init(struct pg_unmodified *check, struct pg_plan *plan, const struct pg_plan_in *in,
        const struct list *reads) MUST_CHECK;
void pg_unmodified_deinit(struct pg_unmodified *check);

/* Takes the answers: rows (number of the read from 1, whether). What no row tells of counts as modified. */
void pg_unmodified_take(struct pg_unmodified *check, const struct pg_plan *plan, const PGresult *result);

/* Whether the item's reader may go on with what it holds: then all results of the read are set. */
bool pg_unmodified_answer(const struct pg_unmodified *check, const struct pg_item *item, const struct pg_plan *plan,
        const struct pg_meta *meta);

#endif
