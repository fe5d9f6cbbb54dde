#include "base/pool.h"

#ifdef VC_SANITIZED
enum { KEEPS = 0 };
#else
enum { KEEPS = 1 };
#endif

void pool_init(struct pool *pool, size_t size, uint32_t keep_max)
{
        *pool = (struct pool){
                .size = size < sizeof(struct pool_spare) ? sizeof(struct pool_spare) : size, /* a spare one's link */
                .keep_max = KEEPS ? keep_max : 0};
}

void pool_deinit(struct pool *pool)
{
        for (struct pool_spare *spare = pool->spare, *next; spare != NULL; spare = next) {
                next = spare->next;
                vc_free(spare);
        }
        pool->spare = NULL;
        pool->kept = 0;
}
