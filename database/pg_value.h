/* The reply to one read, put together from what the queries of its plan brought. */
#ifndef DATABASE_PG_VALUE_H
#define DATABASE_PG_VALUE_H

#include "database/pg_meta.h"
#include "database/pg_plan.h"

enum pg_verdict {
        PG_ANSWERED,      /* all of the read's results are set */
        PG_ALONE,         /* its id, or another's with it, was odd: ask again with queries of its own */
        PG_ASK_EXISTENCE, /* it has no record that tells that its id exists: ask for that itself */
        PG_ASK_PRIMARY    /* the replica could not say */
};

/* Sets the results of the item's read, status included, unless it must be asked again. `meta` is the transaction's.
 * A part of a composite whose query failed is {"error": {…}}, and the reply is then not to be kept (epoch 0). */
enum pg_verdict pg_value_answer(const struct pg_plan *plan, const struct pg_item *item, const struct pg_meta *meta);

#endif
