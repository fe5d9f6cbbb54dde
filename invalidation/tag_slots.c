#include "invalidation/tag_slots.h"

#include "database/tag.h"

static uint64_t table_hash(const struct record_table *table)
{
        return table->hash != 0 ? table->hash : tag_hash_name(slice_str(table->name));
}

/* The same tags as type_tags() gives, without their texts. */
void tag_slots(const struct freshness *f, const struct tag_owner *owner, struct stamp *stamp, uint32_t *out)
{
        const struct record_type *type = owner->type;
        const uint64_t seed = freshness_tag_seed(f);
        const uint64_t one = tag_hash_whom(owner->tenant, owner->id, seed);
        const uint64_t every = tag_hash_whom(owner->tenant, SLICE_EMPTY, seed);
        const enum tag_kind kind = record_subject_tag(type->subject);
        const uint64_t subject = tag_hash_name(record_subject_name(type->subject));
        const uint32_t reads = type->read_count;
        uint32_t wide = reads + (type->subject == NULL ? 1 : 0); /* where those of tables begin */

        for (uint32_t i = 0; i < reads; i++) {
                const uint64_t table = table_hash(type->reads[i]);

                out[i] = freshness_slot_of(f, tag_hash_of(one, kind, table, subject));
                out[wide + i] = freshness_slot_of(f, tag_hash_of(every, TAG_TABLE, table, 0));
        }
        if (type->subject == NULL)
                out[reads] = freshness_slot_of(f, tag_hash_of(one, TAG_STUDENT, 0, 0));
        out[wide + reads] = freshness_slot_of(f, tag_hash_of(every, TAG_ALL, 0, 0));
        stamp->tags = out;
        stamp->tag_count = wide + reads + 1;
}
