#include "base/pool.h"

#include "base/mem.h"

#ifdef VC_SANITIZED
enum { KEEPS = 0 };
#else
enum { KEEPS = 1 };
#endif

void pool_init(struct pool *pool, size_t size, uint32_t keep_max)
{
        list_init(&pool->spare);
        pool->size = size < sizeof(struct list) ? sizeof(struct list) : size; /* a spare block holds its link */
        pool->kept = 0;
        pool->keep_max = keep_max;
}

void pool_deinit(struct pool *pool)
{
        struct list *link;

        while ((link = list_pop_front(&pool->spare)) != NULL)
                vc_free(link);
        pool->kept = 0;
}

void *pool_take(struct pool *pool)
{
        struct list *link = list_pop_front(&pool->spare);

        if (link == NULL)
                return vc_malloc(pool->size);
        pool->kept--;
        return link;
}

void pool_give(struct pool *pool, void *block)
{
        struct list *link = block;

        if (block == NULL)
                return;
        if (!KEEPS || pool->kept >= pool->keep_max) {
                vc_free(block);
                return;
        }
        list_init(link);
        list_push_front(&pool->spare, link);
        pool->kept++;
}
