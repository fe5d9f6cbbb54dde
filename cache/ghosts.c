/* Problem: a queue of the last N keys that went, of which three things are asked: put this one in at the end, is that
 * one in it, and if so take it out, wherever it stands. As a list with a hash table beside it, a ghost would weigh
 * nearly as much as an entry's header.
 *
 * Idea: number the births, and keep no order but these numbers. A slot has the hash of a key and the number of its
 * birth. The queue is a window of numbers that ends at the newest: whose number is within it is in the queue, and when
 * the oldest falls out, the window begins a number later and no slot is touched. A key has one bucket, a cache line of
 * 8 slots; a new ghost takes the slot of the lowest number there, which as a rule is out of the window anyway.
 *
 * A window of numbers that have been taken out would be too short: N births are not N ghosts. So a ring of bits says
 * of each number in the window whether it was taken out before its time, and the window is widened over these.
 *
 * Where it is inexact: with 8 slots for 4 or 5 ghosts, a bucket may get more than 8 and lose its oldest, 1 or 2 in
 * 100, which were about to fall out as a rule; and when of four births less than one stays, the ring ends the window.
 * Two keys of the same 32 bits are taken for each other: a newcomer is favoured that should not be, and nothing worse.
 *
 * Cost: one cache line for each question; 14 to 20 bytes for each ghost. */
#include "cache/ghosts.h"

#include "base/mem.h"

enum {
        BUCKET = 8,       /* slots, of 8 bytes: a cache line */
        LINE = 64,        /* where buckets begin */
        BUCKETS_MIN = 16, /* and besides: where there are few, chance fills them unevenly */
        PER_BUCKET = 5,   /* ghosts that a bucket is good for */
        SPARE = 8,        /* the table is made for an eighth more than asked for */
        RING_BITS = 32,   /* births that the ring remembers for each bucket */
        WORD = 64,        /* bits of a word of the ring */
        SPAN_MAX = 1 << 28
};

struct ghost {
        uint32_t hash;
        uint32_t born; /* 0: free */
};

void ghosts_deinit(struct ghosts *g)
{
        vc_free(g->slots);
        *g = (struct ghosts){.slots = NULL};
}

/* ---- births ---- */

/* The word of the ring, which lies behind the slots, that has the bit of a birth. */
static uint64_t *ring_word(const struct ghosts *g, uint32_t born)
{
        uint64_t *ring = (uint64_t *)(void *)(g->slots + (size_t)g->buckets * BUCKET);

        return ring + born % (g->buckets * RING_BITS) / WORD;
}

static uint64_t ring_bit(const struct ghosts *g, uint32_t born)
{
        return UINT64_C(1) << born % (g->buckets * RING_BITS) % WORD;
}

static bool is_known(const struct ghosts *g, const struct ghost *slot)
{
        return slot->born != 0 && g->born - slot->born < g->window;
}

static void take_out(struct ghosts *g, struct ghost *slot)
{
        *ring_word(g, slot->born) |= ring_bit(g, slot->born);
        slot->born = 0;
        g->known--;
}

/* The window begins a number later. */
static void drop_oldest(struct ghosts *g)
{
        uint32_t oldest = g->born - g->window + 1;

        if ((*ring_word(g, oldest) & ring_bit(g, oldest)) == 0)
                g->known--;
        g->window--;
}

static uint32_t birth(struct ghosts *g)
{
        g->born++;
        g->window++;
        g->known++;
        *ring_word(g, g->born) &= ~ring_bit(g, g->born);
        while (g->known > g->span || g->window >= g->buckets * RING_BITS)
                drop_oldest(g);
        return g->born;
}

/* ---- size ---- */

static uint32_t buckets_for(uint32_t span)
{
        uint32_t buckets = span / PER_BUCKET + BUCKETS_MIN;

        return buckets + buckets % 2; /* the ring has whole words */
}

static bool is_of_size(const struct ghosts *g)
{
        uint32_t needed = buckets_for(g->span);

        return needed <= g->buckets && g->buckets <= needed + needed / 2;
}

/* Empty, in new memory; or as it is. */
static void make(struct ghosts *g)
{
        uint32_t buckets = buckets_for(g->span + g->span / SPARE);
        size_t size = BUCKET * sizeof(struct ghost) + RING_BITS / 8;
        struct ghost *slots = vc_calloc_aligned(LINE, buckets, size);

        if (slots == NULL)
                return;
        vc_free(g->slots);
        *g = (struct ghosts){.slots = slots, .buckets = buckets, .span = g->span, .born = 1};
}

void ghosts_fit(struct ghosts *g, uint32_t span)
{
        g->span = span < SPAN_MAX ? span : SPAN_MAX;
        if (g->born > 0 && !is_of_size(g))
                make(g);
}

/* ---- ghosts ---- */

static struct ghost *bucket_of(const struct ghosts *g, uint32_t hash)
{
        return g->slots + ((uint64_t)hash * g->buckets >> 32) * BUCKET;
}

/* The slot that a new ghost takes: one that is free, or of the lowest number. */
static struct ghost *slot_for(const struct ghosts *g, uint32_t hash)
{
        struct ghost *bucket = bucket_of(g, hash);
        struct ghost *oldest = bucket;

        for (int i = 0; i < BUCKET && is_known(g, oldest); i++)
                if (!is_known(g, &bucket[i]) || g->born - bucket[i].born > g->born - oldest->born)
                        oldest = &bucket[i];
        return oldest;
}

void ghosts_remember(struct ghosts *g, uint32_t hash)
{
        struct ghost *slot;

        if (g->buckets == 0 || g->born == UINT32_MAX) { /* no memory yet; or new memory, lest numbers come twice */
                g->buckets = 0;
                g->born = 1;
                return;
        }
        slot = slot_for(g, hash);
        if (is_known(g, slot))
                take_out(g, slot);
        *slot = (struct ghost){.hash = hash, .born = birth(g)};
}

bool ghosts_recall(struct ghosts *g, uint32_t hash)
{
        struct ghost *bucket;

        if (g->buckets == 0)
                return false;
        bucket = bucket_of(g, hash);
        for (int i = 0; i < BUCKET; i++)
                if (bucket[i].hash == hash && is_known(g, &bucket[i])) {
                        take_out(g, &bucket[i]);
                        return true;
                }
        return false;
}

uint64_t ghosts_bytes(const struct ghosts *g)
{
        return vc_footprint(g->slots);
}
