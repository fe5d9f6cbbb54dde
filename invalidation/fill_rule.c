#include "invalidation/fill_rule.h"

#include "database/mutant.h"

enum fill_fit fill_rule_fit(const struct fill_origin *fill, struct nanos invoked)
{
        /* A replica may not have replayed what was acknowledged long ago, however late it is asked. */
        if (!fill->primary && !MUTANT(REPLICA_UNCHECKED))
                return FILL_ANSWERS_IF_FRESH;
        /* Equal times are enough: the command had arrived before `invoked` was read, the fill left after `sent`
         * was. */
        if (nanos_before(fill->sent, invoked) && !MUTANT(JOINED_UNCHECKED))
                return FILL_ANSWERS_IF_FRESH;
        return FILL_ANSWERS;
}

bool fill_rule_may_join(enum fill_fit fit, struct nanos bound, bool always_certain)
{
        return fit == FILL_ANSWERS || always_certain || bound.ns > 0;
}

bool fill_rule_may_store(enum err status, struct position as_of)
{
        return status == OK && as_of.n != POSITION_NONE.n;
}
