/* Where L1's entries live: blocks of any size out of one region of addresses, known by 32-bit references (the places of
 * cache/policy.h). The essay is in l1_arena.c. Private to cache/.
 *
 * A block in use has no header: who gives it back says how long it was. But one byte of it, at L1_ARENA_OWN, is the
 * arena's from l1_arena_alloc() to l1_arena_free(); nobody else reads or writes it. */
#ifndef CACHE_L1_ARENA_H
#define CACHE_L1_ARENA_H

#include "cache/policy.h"

struct l1_arena;

enum { L1_ARENA_OWN = offsetof(struct place, owner) + 2 };

/* Room for at least `most_bytes` and a half more; takes addresses, and memory only as blocks need it. References are of
 * 4 bytes, which is what blocks are aligned to, up to 16 GB in all, of 8 up to 32 GB and so on. ERR_NOMEM; *out is NULL
 * then. */
enum err l1_arena_create(struct l1_arena **out, uint64_t most_bytes) MUST_CHECK;
/* Frees all, whatever is in it; nulls; NULL-safe. */
void l1_arena_destroy(struct l1_arena **arena);

/* Where references lead: `base` and `shift` for struct places. Constant. */
uint8_t *l1_arena_base(const struct l1_arena *arena);
unsigned l1_arena_shift(const struct l1_arena *arena);
/* The most bytes that can ever be in use. Constant. */
uint64_t l1_arena_most(const struct l1_arena *arena);

/* A block of at least `bytes`, not zeroed. `grow`: memory that the process does not have yet may be taken for it.
 * ERR_LIMIT: nothing that was given back is large enough, and it may not grow. ERR_NOMEM: nor can it. *out is 0 then.
 * Any thread; takes a short lock. */
enum err l1_arena_alloc(struct l1_arena *arena, size_t bytes, bool grow, place_ref *out) MUST_CHECK;

/* Takes back a block that was allocated for `bytes`, and overwrites it. Any thread; takes a short lock. */
void l1_arena_free(struct l1_arena *arena, place_ref ref, size_t bytes);

/* Gives the system every whole page that no block is on. Walks all of what is free. Any thread; takes the lock. */
void l1_arena_trim(struct l1_arena *arena);

/* What a block for `bytes` takes, but for what may be left over where it was split off. Pure. */
size_t l1_arena_rounded(const struct l1_arena *arena, size_t bytes);

/* Bytes of the blocks in use, rounded as they are; bytes of memory that the process has for them, which is more by what
 * lies free between. Any thread; no lock. */
uint64_t l1_arena_used(const struct l1_arena *arena);
uint64_t l1_arena_resident(const struct l1_arena *arena);

#endif
