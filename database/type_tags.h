/* The tags of a type's entries: what must be touched for one of them to be void. */
#ifndef DATABASE_TYPE_TAGS_H
#define DATABASE_TYPE_TAGS_H

#include "database/record_type.h"
#include "database/tag.h"

/* The tags of a type's entry of that id, in the order of docs/FRESHNESS.md: `visit` gets each one, whose slices are
 * borrowed from the arguments. Any thread; pure. */
typedef void (*type_tag_fn)(void *context, const struct tag *tag);
void type_tags(const struct record_type *type, struct slice tenant, struct slice id, type_tag_fn visit, void *context);

/* How many of the tags speak of the id; the others are the same for every id. */
static inline uint32_t type_own_tags(const struct record_type *type)
{
        return type->read_count + (type->subject == NULL ? 1 : 0);
}

/* Of what each of these tags speaks (tag_hash_what), in the same order, type_tag_count() of them: all of a tag's hash
 * that is known before the id is. Any thread; pure. */
void type_tag_words(const struct record_type *type, uint64_t *out);

static inline uint32_t type_tag_count(const struct record_type *type)
{
        return type_own_tags(type) + type->read_count + 1;
}

#endif
