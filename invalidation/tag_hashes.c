#include "invalidation/tag_hashes.h"

#include "base/mem.h"

enum err tag_hashes_reserve(struct tag_hashes *list, size_t more)
{
        size_t cap = list->cap == 0 ? 64 : list->cap;
        uint64_t *hashes;

        if (list->cap - list->count >= more)
                return OK;
        while (cap - list->count < more)
                cap *= 2;
        hashes = vc_realloc(list->hashes, cap * sizeof(*hashes));
        if (hashes == NULL)
                return ERR_NOMEM;
        list->hashes = hashes;
        list->cap = cap;
        return OK;
}

enum err tag_hashes_add(struct tag_hashes *list, uint64_t hash)
{
        enum err rc = tag_hashes_reserve(list, 1);

        if (rc == OK)
                list->hashes[list->count++] = hash;
        return rc;
}

enum err tag_hashes_add_all(struct tag_hashes *list, const struct tag_hashes *more)
{
        enum err rc = tag_hashes_reserve(list, more->count);

        for (size_t i = 0; rc == OK && i < more->count; i++)
                list->hashes[list->count++] = more->hashes[i];
        return rc;
}

void tag_hashes_deinit(struct tag_hashes *list)
{
        vc_free(list->hashes);
        *list = (struct tag_hashes){0};
}
