/* Memory: malloc and its kin behind one door, so that tests can make the n-th allocation fail and every caller's error
 * path is run. A failed allocation is ERR_NOMEM to the caller, never the end of the program.
 *
 * What is given back is overwritten first: nearly every block has held a part of some patient's record for a while, and
 * an erased one must not live on in memory that nobody uses. A block that grows into another place leaves nothing in
 * the first. Cost: a memset of what was written moments ago. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* As malloc/calloc/realloc/strdup: NULL when there is no memory (or the test hook says so). The caller frees with
 * vc_free. Any thread. */
void *vc_malloc(size_t size) __attribute__((malloc, warn_unused_result));
void *vc_calloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
void *vc_realloc(void *block, size_t size) __attribute__((warn_unused_result));
/* Zeroed, at a multiple of `align` (a power of two): for arrays whose elements must not share a cache line. */
void *vc_calloc_aligned(size_t align, size_t count, size_t size) __attribute__((malloc, warn_unused_result));
char *vc_strdup(const char *text) __attribute__((malloc, warn_unused_result));
void *vc_memdup(const void *data, size_t len) __attribute__((warn_unused_result));

/* Overwrites the block with zeros and frees it; NULL is a no-op. Any thread. */
void vc_free(void *block);

/* Bytes that the process grew by for this block: what malloc really gave, and what it keeps beside it. For memory
 * accounts. 0 for NULL. Any thread. */
size_t vc_footprint(const void *block);

/* What the test hook says; for who gets memory of the system by other ways than these. */
_Bool mem_may_allocate(void);

/* The test hook: asked before each allocation of this thread; false makes it fail. NULL (the default) lets all pass.
 * Per thread; tests only. */
typedef _Bool (*mem_gate_fn)(void *context);
void mem_set_gate(mem_gate_fn gate, void *context);

#endif
