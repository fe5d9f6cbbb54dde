/* An arena: many small pieces of memory that live and die together, such as what was read from one file. Pieces are
 * zeroed and never given back alone. Not thread-safe: one owner. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/assert.h"
#include "base/slice.h"

struct arena_block;

struct arena {
        struct arena_block *newest;
};

static inline void arena_init(struct arena *arena)
{
        arena->newest = NULL;
}

/* Frees every piece; the arena is empty and usable afterwards. */
void arena_deinit(struct arena *arena);

/* `size` zeroed bytes, aligned for any type; NULL when there is no memory. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;

/* As arena_alloc for `count` elements of `size` bytes; NULL also when that is more than memory can be. */
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_CHECK;

/* A terminated copy of the bytes; NULL when there is no memory. */
char *arena_text(struct arena *arena, struct slice text) MUST_CHECK;

#endif
