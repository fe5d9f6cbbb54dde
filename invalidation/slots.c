#include "invalidation/slots.h"

#include "base/mem.h"
#include "database/mutant.h"

#include <stdatomic.h>

struct slots {
        uint32_t mask;
        _Atomic uint64_t words[];
};

enum err slots_create(struct slots **out, uint32_t count)
{
        struct slots *s;

        VC_ASSERT(count > 0 && (count & (count - 1)) == 0);
        *out = NULL;
        s = vc_calloc(1, sizeof(*s) + count * sizeof(s->words[0]));
        if (s == NULL)
                return ERR_NOMEM;
        s->mask = count - 1;
        *out = s;
        return OK;
}

void slots_destroy(struct slots **slots)
{
        vc_free(*slots);
        *slots = NULL;
}

uint32_t slots_number(const struct slots *slots, uint64_t tag_hash)
{
        return (uint32_t)(tag_hash & slots->mask);
}

uint64_t slots_newest(const struct slots *slots, const uint32_t *numbers, uint32_t count)
{
        uint64_t newest = 0;

        if (MUTANT(FIRST_TAG_ONLY) && count > 1)
                count = 1;
        for (uint32_t i = 0; i < count; i++) {
                uint64_t word;

                VC_ASSERT(numbers[i] <= slots->mask);
                word = atomic_load_explicit(&slots->words[numbers[i]], memory_order_acquire);
                if (word > newest)
                        newest = word;
        }
        return newest;
}

/* The publisher is the only writer, so that load, compare and store need not be one step. */
static uint64_t load(const struct slots *slots, uint64_t tag_hash)
{
        return atomic_load_explicit(&slots->words[slots_number(slots, tag_hash)], memory_order_relaxed);
}

static void store(struct slots *slots, uint64_t tag_hash, uint64_t word)
{
        atomic_store_explicit(&slots->words[slots_number(slots, tag_hash)], word, memory_order_release);
}

void slots_poison(struct slots *slots, const uint64_t *tag_hashes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                store(slots, tag_hashes[i], load(slots, tag_hashes[i]) | SLOT_POISON);
}

void slots_lift(struct slots *slots, const uint64_t *tag_hashes, size_t count)
{
        for (size_t i = 0; i < count; i++)
                store(slots, tag_hashes[i], load(slots, tag_hashes[i]) & ~SLOT_POISON);
}

void slots_raise(struct slots *slots, const uint64_t *tag_hashes, size_t count, struct position position)
{
        VC_ASSERT(position.n < SLOT_POISON);
        for (size_t i = 0; i < count; i++) {
                uint64_t known = load(slots, tag_hashes[i]) & ~SLOT_POISON;

                /* The newest wins, not the last: a hint may have raised the slot past the poll now published. */
                if (known < position.n || MUTANT(SLOT_NOT_MAX))
                        known = position.n;
                store(slots, tag_hashes[i], known);
                MUTANT_PAUSE();
        }
}
