#include "base/arena.h"

#include "base/mem.h"

enum { BLOCK_SIZE = 4096, ALIGNMENT = 16 };

struct arena_block {
        struct arena_block *older;
        size_t used;
        size_t cap;
        _Alignas(ALIGNMENT) uint8_t data[];
};

void arena_deinit(struct arena *arena)
{
        while (arena->newest != NULL) {
                struct arena_block *block = arena->newest;

                arena->newest = block->older;
                vc_free(block);
        }
}

/* A piece that is large for a block gets one of its own size. */
static struct arena_block *add_block(struct arena *arena, size_t size)
{
        size_t cap = size < BLOCK_SIZE / 4 ? BLOCK_SIZE - sizeof(struct arena_block) : size;
        struct arena_block *block;

        if (cap > SIZE_MAX - sizeof(*block))
                return NULL;
        block = vc_calloc(1, sizeof(*block) + cap);
        if (block == NULL)
                return NULL;
        block->cap = cap;
        block->older = arena->newest;
        arena->newest = block;
        return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
        struct arena_block *block = arena->newest;
        size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        void *piece;

        if (rounded < size)
                return NULL;
        if (block == NULL || block->cap - block->used < rounded)
                block = add_block(arena, rounded);
        if (block == NULL)
                return NULL;
        piece = block->data + block->used;
        block->used += rounded;
        return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
        return size != 0 && count > SIZE_MAX / size ? NULL : arena_alloc(arena, count * size);
}

char *arena_text(struct arena *arena, struct slice text)
{
        char *copy = text.len == SIZE_MAX ? NULL : arena_alloc(arena, text.len + 1);

        if (copy != NULL && text.len > 0)
                memcpy(copy, text.data, text.len);
        return copy;
}
