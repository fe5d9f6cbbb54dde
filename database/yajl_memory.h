/* Memory for yajl, which uses what it is given without looking whether it was given anything. So an allocation that
 * fails does not return to it: it jumps out, and all that yajl held is freed. */
#ifndef DATABASE_YAJL_MEMORY_H
#define DATABASE_YAJL_MEMORY_H

#include "base/list.h"

#include <yajl/yajl_common.h>

#include <setjmp.h>

struct yajl_memory {
        jmp_buf ran_out;            /* where a failed allocation goes: set it before yajl is called */
        struct list blocks;         /* what yajl holds */
        yajl_alloc_funcs functions; /* for yajl_alloc; point into this struct, so it must not move */
};

/* Holds nothing yet. */
void yajl_memory_init(struct yajl_memory *memory);

/* Frees all that yajl holds, its handle included. One owner. */
void yajl_memory_deinit(struct yajl_memory *memory);

#endif
