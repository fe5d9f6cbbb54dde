/* Problem: to know how often a key was asked for lately, also one that is not in the cache, without a counter for
 * each.
 *
 * Idea: a count-min sketch. Four rows of 4-bit counters; a key has one counter in each row, shared with whatever else
 * falls there, so each counter is at least what is true, and the least of the four is the estimate. Only the counters
 * that are at the least are raised. Two things keep it small and young:
 * - a doorkeeper, a Bloom filter of two bits for each key: the first use only opens the door, so the many keys that
 *   are asked for once never touch the counters;
 * - aging: when so many uses have been counted as there are ten times entries in the cache, all counters are halved
 *   and the doors closed. So 4 bits are enough, and yesterday's favourites fade.
 *
 * All of a key is in one block, a cache line: its four counters and its two bits. A use costs one miss of the
 * processor's cache at most, where rows that span the whole sketch would cost five. The price is that a block is as
 * good as the keys that happen to share it; with 24 counters to a row and hashes evenly spread that is lost in the
 * noise.
 *
 * Growth: twice as many blocks, each copied to the two places that its keys can now be in: no estimate changes.
 *
 * Cost: 4 to 8 bytes for each entry of the cache; a pass over all of it every ten times that many uses.
 *
 * Source: Einziger, Friedman, Manes: TinyLFU: A Highly Efficient Cache Admission Policy. ACM ToS 13(4), 2017. */
#include "cache/sketch.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

enum {
        ROWS = 4,
        ROW_COUNTERS = 24, /* of 4 bits */
        COUNTER_MAX = 15,
        DOOR_BITS = 128,
        PER_BLOCK = 16,    /* entries of the cache at most, for each block */
        SAMPLE_FACTOR = 10 /* uses counted between two halvings, for each entry */
};

struct sketch_block {
        uint8_t rows[ROWS][ROW_COUNTERS / 2];
        uint64_t door[DOOR_BITS / 64];
};

_Static_assert(sizeof(struct sketch_block) == 64, "a block is a cache line");

/* Where a key is within its block. */
struct spot {
        uint8_t counters[ROWS];
        uint8_t doors[2];
};

static struct spot spot_of(uint32_t hash)
{
        uint64_t state = hash;
        uint64_t bits = random_next(&state); /* independent of the bits that choose the block */
        struct spot spot;

        for (int i = 0; i < ROWS; i++, bits >>= 8)
                spot.counters[i] = (uint8_t)((bits & 0xff) * ROW_COUNTERS >> 8);
        spot.doors[0] = bits % DOOR_BITS;
        spot.doors[1] = (bits >> 8) % DOOR_BITS;
        return spot;
}

static struct sketch_block *block_of(const struct sketch *s, uint32_t hash)
{
        return &s->blocks[hash & s->mask];
}

static unsigned counter_at(const struct sketch_block *b, int row, unsigned index)
{
        return b->rows[row][index / 2] >> (index % 2 * 4) & COUNTER_MAX;
}

static unsigned least_of(const struct sketch_block *b, const struct spot *spot)
{
        unsigned least = COUNTER_MAX;

        for (int i = 0; i < ROWS; i++) {
                unsigned count = counter_at(b, i, spot->counters[i]);

                least = count < least ? count : least;
        }
        return least;
}

static bool door_is_open(const struct sketch_block *b, unsigned door)
{
        return (b->door[door / 64] >> door % 64 & 1) != 0;
}

unsigned sketch_estimate(const struct sketch *s, uint32_t hash)
{
        const struct spot spot = spot_of(hash);
        const struct sketch_block *b;

        if (s->blocks == NULL)
                return 0;
        b = block_of(s, hash);
        return least_of(b, &spot) + (door_is_open(b, spot.doors[0]) && door_is_open(b, spot.doors[1]));
}

/* ---- counting and aging ---- */

static void raise(struct sketch_block *b, const struct spot *spot)
{
        unsigned least = least_of(b, spot);

        for (int i = 0; i < ROWS && least < COUNTER_MAX; i++)
                if (counter_at(b, i, spot->counters[i]) == least)
                        b->rows[i][spot->counters[i] / 2] += (uint8_t)(1 << spot->counters[i] % 2 * 4);
}

static void halve(struct sketch *s)
{
        for (uint32_t i = 0; i <= s->mask; i++) {
                uint8_t *counters = s->blocks[i].rows[0];

                for (size_t j = 0; j < sizeof(s->blocks[i].rows); j++)
                        counters[j] = counters[j] >> 1 & 0x77;
                memset(s->blocks[i].door, 0, sizeof(s->blocks[i].door));
        }
        s->sample /= 2;
}

void sketch_count(struct sketch *s, uint32_t hash)
{
        const struct spot spot = spot_of(hash);
        struct sketch_block *b;

        if (s->blocks == NULL)
                return;
        b = block_of(s, hash);
        if (door_is_open(b, spot.doors[0]) && door_is_open(b, spot.doors[1]))
                raise(b, &spot);
        for (int i = 0; i < 2; i++)
                b->door[spot.doors[i] / 64] |= UINT64_C(1) << spot.doors[i] % 64;
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
