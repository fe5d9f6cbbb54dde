/* "Did you mean …?": the known name that is nearest to a misspelt one. Offer every known name, then ask. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/err.h"
#include "base/slice.h"

struct suggest {
        struct slice given;
        struct slice nearest; /* of the names offered so far; empty: none is near */
        size_t distance;      /* how far `nearest` is */
};

/* Begins; borrows `given`. */
void suggest_init(struct suggest *suggest, struct slice given);

/* Offers one known name, which is borrowed. A name is near when at most a third of its letters must be changed, added,
 * left out or swapped with the next one; letter case does not count. Of equally near ones the first stays. Pure. */
void suggest_offer(struct suggest *suggest, struct slice name);

/* Appends ` (did you mean "x"?)` to *msg when a name was near; returns `code`. `msg` may be NULL. */
enum err suggest_append(const struct suggest *suggest, enum err code, struct err_msg *msg);

#endif
