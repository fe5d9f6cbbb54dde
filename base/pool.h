/* Blocks of one size, kept for reuse: what a busy path needs over and over is malloc'ed once. In sanitizer builds it
 * keeps nothing, so that a use after pool_give is seen as the use after free that it is. Not thread-safe: one owner. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/assert.h"
#include "base/mem.h"

#include <stddef.h>
#include <stdint.h>

struct pool_spare {
        struct pool_spare *next;
};

struct pool {
        struct pool_spare *spare;
        size_t size;
        uint32_t kept;
        uint32_t keep_max; /* the most spare blocks that are kept */
};

/* An empty pool of blocks of `size` bytes. */
void pool_init(struct pool *pool, size_t size, uint32_t keep_max);

/* Frees the spare blocks. Blocks still in use are their users' to give back before. */
void pool_deinit(struct pool *pool);

/* A block with undefined content, or NULL when there is no memory. */
static inline void *MUST_CHECK pool_take(struct pool *pool)
{
        struct pool_spare *spare = pool->spare;

        if (spare == NULL)
                return vc_malloc(pool->size);
        pool->spare = spare->next;
        pool->kept--;
        return spare;
}

/* Takes a block back; NULL is a no-op. */
static inline void pool_give(struct pool *pool, void *block)
{
        struct pool_spare *spare = block;

        if (block == NULL)
                return;
        if (pool->kept >= pool->keep_max) {
                vc_free(block);
                return;
        }
        spare->next = pool->spare;
        pool->spare = spare;
        pool->kept++;
}

#endif
