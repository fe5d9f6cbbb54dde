/* Blocks of one size, kept for reuse: what a busy path needs over and over is malloc'ed once. In sanitizer builds it
 * keeps nothing, so that a use after pool_give is seen as the use after free that it is. Not thread-safe: one owner. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/assert.h"
#include "base/list.h"

#include <stdint.h>

struct pool {
        struct list spare;
        size_t size;
        uint32_t kept;
        uint32_t keep_max; /* the most spare blocks that are kept */
};

/* An empty pool of blocks of `size` bytes. */
void pool_init(struct pool *pool, size_t size, uint32_t keep_max);

/* Frees the spare blocks. Blocks still in use are their users' to give back before. */
void pool_deinit(struct pool *pool);

/* A block with undefined content, or NULL when there is no memory. */
void *pool_take(struct pool *pool) MUST_CHECK;

/* Takes a block back; NULL is a no-op. */
void pool_give(struct pool *pool, void *block);

#endif
