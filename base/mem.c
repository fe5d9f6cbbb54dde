#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Set by tests only, and per thread, so that a plain allocation costs one well-predicted branch. */
static _Thread_local mem_gate_fn gate_of_thread;
static _Thread_local void *gate_context;

static bool gate_open(void)
{
        return gate_of_thread == NULL || gate_of_thread(gate_context);
}

void *vc_malloc(size_t size)
{
        return gate_open() ? malloc(size) : NULL;
}

void *vc_calloc(size_t count, size_t size)
{
        return gate_open() ? calloc(count, size) : NULL;
}

void *vc_realloc(void *block, size_t size)
{
        return gate_open() ? realloc(block, size) : NULL;
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

void vc_free(void *block)
{
        free(block);
}

void mem_set_gate(mem_gate_fn gate, void *context)
{
        gate_of_thread = gate;
        gate_context = context;
}
