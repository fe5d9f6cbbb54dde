/* A ring through which threads hand samples to whoever has the time to take them in: many push, one at a time takes.
 * No one ever waits; when it is full, a sample is lost. Private to cache/. */
#ifndef CACHE_SAMPLE_RING_H
#define CACHE_SAMPLE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum sample_kind {
        SAMPLE_HIT = 1, /* looked up, and there */
        SAMPLE_MISS,    /* looked up, and not there */
        SAMPLE_STALE,   /* what was hit just now must not answer */
        SAMPLE_PUT,     /* stored */
        SAMPLE_REMOVED,
};

/* Something that happened to a key that is in the sample. */
struct sample {
        enum sample_kind kind;
        uint32_t hash;
        uint32_t weight;  /* HIT, PUT: memory that the entry takes */
        uint32_t bytes;   /* HIT, PUT: of its value */
        uint32_t expires; /* HIT, PUT: in ticks of cache/whatif.h */
};

enum { SAMPLE_RING_SIZE = 256 };

struct sample_slot {
        _Atomic uint64_t what; /* kind and hash; 0: empty */
        uint32_t weight;       /* handed over by `what`, as the others */
        uint32_t bytes;
        uint32_t expires;
};

struct sample_ring {
        _Atomic uint64_t head; /* the next to be claimed by a thread that pushes */
        _Atomic uint64_t tail; /* the next to be taken */
        struct sample_slot slots[SAMPLE_RING_SIZE];
};

/* An empty ring is all zeros. */

/* False: the ring is full, the sample is lost. Any thread. */
bool sample_ring_push(struct sample_ring *ring, const struct sample *sample);
/* Takes the oldest; false: there is none, or its pusher has not quite finished. One thread at a time. */
bool sample_ring_take(struct sample_ring *ring, struct sample *out);
/* Whether there is something to take. A moment's picture; any thread. */
bool sample_ring_is_waiting(struct sample_ring *ring);

#endif
