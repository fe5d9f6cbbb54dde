#include "invalidation/tag_slots.h"

#include "base/hot.h"
#include "database/tag.h"
#include "database/type_tags.h"

/* Of a type that was not loaded from a file. */
COLD_PATH static const uint64_t *make_words(const struct record_type *type, uint64_t *out)
{
        type_tag_words(type, out);
        return out;
}

/* The same tags as type_tags() gives, without their texts. */
void tag_slots(const struct freshness *f, const struct tag_owner *owner, struct stamp *stamp, uint32_t *out)
{
        const uint64_t one = freshness_hash_whom(f, owner->tenant, owner->id);
        const uint64_t every = freshness_hash_whom(f, owner->tenant, SLICE_EMPTY);
        const uint32_t own = type_own_tags(owner->type);
        const uint32_t count = type_tag_count(owner->type);
        uint64_t made[STAMP_TAGS_MAX];
        const uint64_t *words = owner->type->tag_words;

        if (words == NULL)
                words = make_words(owner->type, made);
        for (uint32_t i = 0; i < own; i++)
                out[i] = freshness_slot_of(f, tag_hash_of(one, words[i]));
        for (uint32_t i = own; i < count; i++)
                out[i] = freshness_slot_of(f, tag_hash_of(every, words[i]));
        stamp->tags = out;
        stamp->tag_count = count;
}
