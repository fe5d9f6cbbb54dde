#include "base/mem.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Set by tests only, and per thread, so that a plain allocation costs one well-predicted branch. */
static _Thread_local mem_gate_fn gate_of_thread;
static _Thread_local void *gate_context;

bool mem_may_allocate(void)
{
        return gate_of_thread == NULL || gate_of_thread(gate_context);
}

void *vc_malloc(size_t size)
{
        return mem_may_allocate() ? malloc(size) : NULL;
}

void *vc_calloc(size_t count, size_t size)
{
        return mem_may_allocate() ? calloc(count, size) : NULL;
}

/* Not realloc(): it would leave the old bytes behind where it moves a block. */
void *vc_realloc(void *block, size_t size)
{
        size_t old = block == NULL ? 0 : malloc_usable_size(block);
        void *moved;

        if (!mem_may_allocate())
                return NULL;
        if (size <= old && size > old / 2)
                return block;
        moved = malloc(size);
        if (moved == NULL || block == NULL)
                return moved;
        memcpy(moved, block, old < size ? old : size);
        vc_free(block);
        return moved;
}

void *vc_calloc_aligned(size_t align, size_t count, size_t size)
{
        void *block = NULL;
        size_t total;

        if (__builtin_mul_overflow(count, size, &total) || !mem_may_allocate())
                return NULL;
        if (posix_memalign(&block, align, total == 0 ? 1 : total) != 0)
                return NULL;
        memset(block, 0, total);
        return block;
}

void *vc_memdup(const void *data, size_t len)
{
        void *copy = vc_malloc(len == 0 ? 1 : len);

        if (copy != NULL && len > 0)
                memcpy(copy, data, len);
        return copy;
}

char *vc_strdup(const char *text)
{
        return vc_memdup(text, strlen(text) + 1);
}

/* All of the block is overwritten, which may be more than was asked for. Where programs are optimised as a whole, this
 * becomes a part of callers that know how much that was, and _FORTIFY_SOURCE ends the process for writing past it: the
 * compiler is not to know where the block comes from. */
void vc_free(void *block)
{
        __asm__("" : "+r"(block));
        if (block != NULL)
                explicit_bzero(block, malloc_usable_size(block));
        free(block);
}

size_t vc_footprint(const void *block)
{
        /* glibc on 64 bits keeps a block's size in the 8 bytes before it, which malloc_usable_size() leaves out */
        return block == NULL ? 0 : malloc_usable_size((void *)(uintptr_t)block) + 8;
}

void mem_set_gate(mem_gate_fn gate, void *context)
{
        gate_of_thread = gate;
        gate_context = context;
}
