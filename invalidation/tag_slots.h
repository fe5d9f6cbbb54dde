/* The tags of an entry as the freshness test wants them: made from its key each time, so that no entry keeps any. */
#ifndef INVALIDATION_TAG_SLOTS_H
#define INVALIDATION_TAG_SLOTS_H

#include "database/record_type.h"
#include "invalidation/freshness.h"

/* Whose tags: the entry's key. */
struct tag_owner {
        const struct record_type *type;
        struct slice tenant;
        struct slice id;
};

/* Sets the stamp's tags to the owner's, in the order of type_tags(); `out`, of STAMP_TAGS_MAX,
 * holds them and must outlive the stamp's use. Costs one hash of the id, whatever the number of tags. Any thread. */
void tag_slots(const struct freshness *f, const struct tag_owner *owner, struct stamp *stamp, uint32_t *out);

#endif
