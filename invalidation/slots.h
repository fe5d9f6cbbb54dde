/* Slots: a fixed array, tag -> the newest position at which a tag of that slot was touched. Two tags in one slot
 * cost a needless refill, never truth; memory is constant, and a tag with a million entries is one store.
 *
 * A slot is one 64-bit word: 63 bits of position, and the top bit, the poison: a commit that touches the slot is
 * under way. A poisoned word is greater than any position, so that one comparison tests both.
 *
 * One thread (the publisher) writes; any thread reads without a lock. */
#ifndef INVALIDATION_SLOTS_H
#define INVALIDATION_SLOTS_H

#include "base/err.h"
#include "database/snapshot.h"

struct slots;

#define SLOT_POISON (UINT64_C(1) << 63)

/* `count` is a power of two. ERR_NOMEM; *out is NULL then. */
enum err slots_create(struct slots **out, uint32_t count) MUST_CHECK;
void slots_destroy(struct slots **slots);

/* The slot number of a tag. Any thread; pure. */
uint32_t slots_number(const struct slots *slots, uint64_t tag_hash);

/* The greatest word among these slots (numbers below the count): the newest touch, or above SLOT_POISON if one of
 * them is poisoned. Acquire: what is loaded after it is at least as new. Any thread; no lock. */
uint64_t slots_newest(const struct slots *slots, const uint32_t *numbers, uint32_t count);

/* The publisher's thread only, each for all of the tags: sets the poison; takes it off; raises to `position` what is
 * older, and takes the poison off in the same store. */
void slots_poison(struct slots *slots, const uint64_t *tag_hashes, size_t count);
void slots_lift(struct slots *slots, const uint64_t *tag_hashes, size_t count);
void slots_raise(struct slots *slots, const uint64_t *tag_hashes, size_t count, struct position position);

#endif
