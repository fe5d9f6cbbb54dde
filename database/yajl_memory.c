#include "database/yajl_memory.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdint.h>

/* Stands before each block that yajl holds. */
struct block {
        struct list link;
        alignas(max_align_t) char bytes[];
};

static struct block *block_of(void *bytes)
{
        return bytes == NULL ? NULL : LIST_ENTRY(bytes, struct block, bytes);
}

static void *resize(void *context, void *bytes, size_t size)
{
        struct yajl_memory *memory = context;
        struct block *block = block_of(bytes);
        struct block *grown;

        if (block != NULL)
                list_remove(&block->link);
        grown = size > SIZE_MAX - sizeof(*grown) ? NULL : vc_realloc(block, sizeof(*grown) + size);
        if (grown == NULL) {
                vc_free(block);
                longjmp(memory->ran_out, 1);
        }
        list_push_front(&memory->blocks, &grown->link);
        return grown->bytes;
}

static void *give(void *context, size_t size)
{
        return resize(context, NULL, size);
}

static void take_back(void *context, void *bytes)
{
        struct block *block = block_of(bytes);

        (void)context;
        if (block == NULL)
                return;
        list_remove(&block->link);
        vc_free(block);
}

void yajl_memory_init(struct yajl_memory *memory)
{
        list_init(&memory->blocks);
        memory->functions = (yajl_alloc_funcs){.malloc = give, .realloc = resize, .free = take_back, .ctx = memory};
}

void yajl_memory_deinit(struct yajl_memory *memory)
{
        struct list *link;

        while ((link = list_pop_front(&memory->blocks)) != NULL)
                vc_free(LIST_ENTRY(link, struct block, link));
}
