/* A growing list of tags' hashes. One owner. */
#ifndef INVALIDATION_TAG_HASHES_H
#define INVALIDATION_TAG_HASHES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct tag_hashes {
        uint64_t *hashes;
        size_t count;
        size_t cap;
};

/* Makes room for so many more. ERR_NOMEM: nothing has changed; likewise below. */
enum err tag_hashes_reserve(struct tag_hashes *list, size_t more) MUST_CHECK;

/* Adds one. ERR_NOMEM. */
enum err tag_hashes_add(struct tag_hashes *list, uint64_t hash) MUST_CHECK;

/* Adds all of another. ERR_NOMEM. */
enum err tag_hashes_add_all(struct tag_hashes *list, const struct tag_hashes *more) MUST_CHECK;

/* Frees; the list is empty and usable afterwards. */
void tag_hashes_deinit(struct tag_hashes *list);

#endif
