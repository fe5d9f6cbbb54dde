#include "invalidation/stamp.h"

#include "base/assert.h"
#include "database/mutant.h"
#include "invalidation/slots.h"

/* Every write to an entry's data touches one of its tags, at a position. Data that contains the newest touch of all
 * its tags is what the database holds still. A poisoned word is greater than any position.
 *
 * What was touched before the node began to follow this history it never learned: only data that contains the first
 * thing it learned (the floor) can be judged by the slots at all. */
static bool untouched(const struct stamp *stamp, const struct known *known)
{
        if (stamp->as_of.n < known->floor.n && !MUTANT(FLOOR_IGNORED))
                return false;
        return known->newest_touch <= stamp->as_of.n || MUTANT(TAGS_IGNORED);
}

enum verdict stamp_judge(const struct stamp *stamp, uint64_t def, struct nanos now, const struct known *known)
{
        if (stamp->def != def && !MUTANT(DEF_IGNORED))
                return VERDICT_OTHER_DEFINITION;
        if (stamp->epoch != known->epoch && !MUTANT(EPOCH_IGNORED)) /* its positions are not of this history */
                return VERDICT_OTHER_EPOCH;
        if (!nanos_before(now, stamp->expires) && !MUTANT(EXPIRY_IGNORED))
                return VERDICT_EXPIRED;
        if (!untouched(stamp, known))
                return known->newest_touch >= SLOT_POISON ? VERDICT_POISONED : VERDICT_TOUCHED;
        return VERDICT_FRESH;
}

const char *verdict_name(enum verdict verdict)
{
        static const char *const names[] = {
                [VERDICT_FRESH] = "fresh",
                [VERDICT_EXPIRED] = "expired",
                [VERDICT_OTHER_DEFINITION] = "other-definition",
                [VERDICT_OTHER_EPOCH] = "other-epoch",
                [VERDICT_TOUCHED] = "touched",
                [VERDICT_POISONED] = "poisoned",
                [VERDICT_UNCERTIFIED] = "uncertified",
        };

        VC_ASSERT((unsigned)verdict < VERDICT_COUNT_);
        return names[verdict];
}
