/* The tags of a type's entries: what must be touched for one of them to be void. */
#ifndef DATABASE_TYPE_TAGS_H
#define DATABASE_TYPE_TAGS_H

#include "database/record_type.h"
#include "database/tag.h"

/* The tags of a type's entry of that id, in the order of docs/FRESHNESS.md: `visit` gets each one, whose slices are
 * borrowed from the arguments. Any thread; pure. */
typedef void (*type_tag_fn)(void *context, const struct tag *tag);
void type_tags(const struct record_type *type, struct slice tenant, struct slice id, type_tag_fn visit, void *context);

#endif
