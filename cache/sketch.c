/* Problem: to know how often a key was asked for lately, also one that is not in the cache, without a counter for
 * each.
 *
 * Idea: a count-min sketch. Three rows of 4-bit counters; a key has one counter in each row, shared with whatever else
 * falls there, so each counter is at least what is true, and the least of the three is the estimate. Only the counters
 * that are at the least are raised. Two things keep it small and young:
 * - a doorkeeper, a Bloom filter of two bits for each key: the first use only opens the door, so the many keys that
 *   are asked for once never touch the counters;
 * - aging: when so many uses have been counted as there are ten times entries in the cache, all counters are halved
 *   and the doors closed. So 4 bits are enough, and yesterday's favourites fade.
 *
 * All of a key is in one block, a cache line: its three counters and its two bits. A use costs one miss of the
 * processor's cache at most, where rows that span the whole sketch would cost four. The price is that a block is as
 * good as the keys that happen to share it; with 32 counters to a row and hashes evenly spread that is lost in the
 * noise.
 *
 * Growth: twice as many blocks, each copied to the two places that its keys can now be in: no estimate changes.
 *
 * Cost: 8 to 16 bytes for each entry of the cache; a pass over all of it every ten times that many uses.
 *
 * Source: Einziger, Friedman, Manes: TinyLFU: A Highly Efficient Cache Admission Policy. ACM ToS 13(4), 2017. */
#include "cache/sketch.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

enum {
        ROWS = 3, /* written out below, not looped over: this is on the way of each hit */
        COUNTER_BITS = 4,
        COUNTER_MAX = 15,
        WORD_COUNTERS = 16,
        ROW_COUNTERS = 32,
        DOOR_BITS = 128,
        PER_BLOCK = 8,     /* entries of the cache at most, for each block */
        SAMPLE_FACTOR = 10 /* uses counted between two halvings, for each entry */
};

struct sketch_block {
        uint64_t rows[ROWS][ROW_COUNTERS / WORD_COUNTERS];
        uint64_t door[DOOR_BITS / 64];
};

_Static_assert(sizeof(struct sketch_block) == 64, "a block is a cache line");

/* Bits that say where a key is within its block: independent of those that choose the block. */
static uint64_t spots_of(uint32_t hash)
{
        uint64_t state = hash;

        return random_next(&state);
}

static struct sketch_block *block_of(const struct sketch *s, uint32_t hash)
{
        return &s->blocks[hash & s->mask];
}

/* The word of a row that has the key's counter, and how far up in it that is. */
static inline uint64_t *word_of(struct sketch_block *b, unsigned row, uint64_t spots)
{
        return &b->rows[row][spots >> (8 * row) & 1];
}

static inline unsigned shift_of(unsigned row, uint64_t spots)
{
        return (spots >> (8 * row + 4) & (WORD_COUNTERS - 1)) * COUNTER_BITS;
}

static inline uint64_t counter_at(struct sketch_block *b, unsigned row, uint64_t spots)
{
        return *word_of(b, row, spots) >> shift_of(row, spots) & COUNTER_MAX;
}

static inline uint64_t least_of(struct sketch_block *b, uint64_t spots)
{
        const uint64_t first = counter_at(b, 0, spots);
        const uint64_t second = counter_at(b, 1, spots);
        const uint64_t third = counter_at(b, 2, spots);
        const uint64_t least = first < second ? first : second;

        return least < third ? least : third;
}

/* A key has one bit of the door in each of its words. */
static inline uint64_t door_bit(unsigned word, uint64_t spots)
{
        return UINT64_C(1) << (spots >> (32 + 8 * word)) % 64;
}

static inline bool door_is_open(const struct sketch_block *b, uint64_t spots)
{
        return (b->door[0] & door_bit(0, spots)) != 0 && (b->door[1] & door_bit(1, spots)) != 0;
}

unsigned sketch_estimate(const struct sketch *s, uint32_t hash)
{
        const uint64_t spots = spots_of(hash);
        struct sketch_block *b;

        if (s->blocks == NULL)
                return 0;
        b = block_of(s, hash);
        return (unsigned)least_of(b, spots) + door_is_open(b, spots);
}

/* ---- counting and aging ---- */

static inline void raise_at(struct sketch_block *b, unsigned row, uint64_t spots, uint64_t least)
{
        if (counter_at(b, row, spots) == least)
                *word_of(b, row, spots) += UINT64_C(1) << shift_of(row, spots);
}

static inline void raise_all(struct sketch_block *b, uint64_t spots)
{
        const uint64_t least = least_of(b, spots);

        if (least == COUNTER_MAX)
                return;
        raise_at(b, 0, spots, least);
        raise_at(b, 1, spots, least);
        raise_at(b, 2, spots, least);
}

static void halve(struct sketch *s)
{
        for (uint32_t i = 0; i <= s->mask; i++) {
                uint64_t *words = s->blocks[i].rows[0];

                for (size_t j = 0; j < sizeof(s->blocks[i].rows) / sizeof(*words); j++)
                        words[j] = words[j] >> 1 & UINT64_C(0x7777777777777777);
                memset(s->blocks[i].door, 0, sizeof(s->blocks[i].door));
        }
        s->sample /= 2;
}

void sketch_count(struct sketch *s, uint32_t hash)
{
        const uint64_t spots = spots_of(hash);
        struct sketch_block *b;

        if (s->blocks == NULL)
                return;
        b = block_of(s, hash);
        if (door_is_open(b, spots)) {
                raise_all(b, spots);
        } else {
                b->door[0] |= door_bit(0, spots);
                b->door[1] |= door_bit(1, spots);
        }
        if (++s->sample >= s->period)
                halve(s);
}

/* ---- size ---- */

static uint32_t blocks_for(uint32_t entries)
{
        uint32_t blocks = 1;

        while (blocks * (uint64_t)PER_BLOCK < entries)
                blocks *= 2;
        return blocks;
}

/* What is known is copied into each place that it may be looked for; a smaller one begins anew. */
static void resize(struct sketch *s, uint32_t count)
{
        struct sketch_block *blocks = vc_calloc_aligned(_Alignof(struct sketch_block), count, sizeof(*blocks));
        uint32_t old = s->blocks == NULL ? 0 : s->mask + 1;

        if (blocks == NULL)
                return;
        for (uint32_t i = 0; i < count && old > 0 && old < count; i++)
                blocks[i] = s->blocks[i & s->mask];
        vc_free(s->blocks);
        s->blocks = blocks;
        s->mask = count - 1;
}

void sketch_fit(struct sketch *s, uint32_t entries)
{
        uint32_t present = s->blocks == NULL ? 0 : s->mask + 1;

        s->period = entries > UINT32_MAX / SAMPLE_FACTOR ? UINT32_MAX : (entries + 1) * SAMPLE_FACTOR;
        if ((uint64_t)present * PER_BLOCK < entries || present > 8 * (uint64_t)(entries / PER_BLOCK + 1))
                resize(s, blocks_for(entries));
}

void sketch_deinit(struct sketch *s)
{
        vc_free(s->blocks);
        *s = (struct sketch){.blocks = NULL};
}

uint64_t sketch_bytes(const struct sketch *s)
{
        return vc_footprint(s->blocks);
}
