#include "invalidation/ring.h"

#include "base/mem.h"
#include "database/mutant.h"

#include <stdatomic.h>

/* Problem: one thread replaces an entry of 68 words while others read it, and neither may wait.
 * Idea: each entry carries its number, which is 0 while the entry is being written. A reader takes the number, copies
 * the words, and takes the number again: if both are the same and not 0, no write began or ended in between, for a
 * number is never used twice. Otherwise it passes the entry over. That costs at worst a position older than need be.
 * Why not a lock: the poll's thread would wait for a preempted reader, and the certificate would age meanwhile.
 * Ordering without fences: the writer's release stores keep `number = 0` before every word; the reader's acquire
 * loads keep every word before the second look at the number. So one new word read means that 0 or newer is seen. */
struct ring_entry {
        _Atomic uint64_t number;
        _Atomic uint64_t xmin;
        _Atomic uint64_t xmax;
        _Atomic uint64_t end;
        _Atomic uint32_t running;
        _Atomic uint64_t xip[SNAPSHOT_MAX_RUNNING];
};

struct ring {
        uint32_t polls;
        _Atomic uint32_t next; /* the entry to replace; to readers, where the newest are */
        struct ring_entry entries[];
};

enum err ring_create(struct ring **out, uint32_t polls)
{
        struct ring *r;

        VC_ASSERT(polls > 0);
        *out = NULL;
        r = vc_calloc(1, sizeof(*r) + polls * sizeof(r->entries[0]));
        if (r == NULL)
                return ERR_NOMEM;
        r->polls = polls;
        *out = r;
        return OK;
}

void ring_destroy(struct ring **ring)
{
        vc_free(*ring);
        *ring = NULL;
}

/* Copies an entry; the poll's number, or 0 when it is empty or being replaced. */
static uint64_t read_entry(const struct ring_entry *e, struct snapshot *out)
{
        uint64_t number = atomic_load_explicit(&e->number, memory_order_acquire);

        if (number == 0)
                return 0;
        out->xmin = atomic_load_explicit(&e->xmin, memory_order_acquire);
        out->xmax = atomic_load_explicit(&e->xmax, memory_order_acquire);
        out->end = atomic_load_explicit(&e->end, memory_order_acquire);
        out->running = atomic_load_explicit(&e->running, memory_order_acquire);
        for (uint32_t i = 0; i < out->running && i < SNAPSHOT_MAX_RUNNING; i++)
                out->xip[i] = atomic_load_explicit(&e->xip[i], memory_order_acquire);
        return atomic_load_explicit(&e->number, memory_order_relaxed) == number ? number : 0;
}

/* From the newest backwards: a read that was sent lately contains the first or second of them. One that is added
 * meanwhile is not seen, as if the read had asked a moment earlier. */
struct position ring_contained(const struct ring *ring, const struct snapshot *snapshot)
{
        const uint32_t next = atomic_load_explicit(&ring->next, memory_order_relaxed);
        struct snapshot poll;

        for (uint32_t i = 1; i <= ring->polls; i++) {
                const uint32_t place = (next + ring->polls - i) % ring->polls;
                const uint64_t number = read_entry(&ring->entries[place], &poll);

                if (number != 0 && snapshot_contains(snapshot, &poll))
                        return (struct position){number};
        }
        return POSITION_NONE;
}

bool ring_has(const struct ring *ring, uint64_t xid)
{
        struct snapshot poll;

        for (uint32_t i = 0; i < ring->polls; i++) {
                if (read_entry(&ring->entries[i], &poll) != 0 && snapshot_has(&poll, xid))
                        return true;
        }
        return false;
}

void ring_add(struct ring *ring, struct position number, const struct snapshot *snapshot)
{
        const uint32_t place = atomic_load_explicit(&ring->next, memory_order_relaxed);
        struct ring_entry *e = &ring->entries[place];

        VC_ASSERT(snapshot->running <= SNAPSHOT_MAX_RUNNING);
        atomic_store_explicit(&e->number, 0, memory_order_relaxed);
        atomic_store_explicit(&e->xmin, snapshot->xmin, memory_order_release);
        atomic_store_explicit(&e->xmax, snapshot->xmax, memory_order_release);
        atomic_store_explicit(&e->end, snapshot->end, memory_order_release);
        atomic_store_explicit(&e->running, snapshot->running, memory_order_release);
        for (uint32_t i = 0; i < snapshot->running; i++)
                atomic_store_explicit(&e->xip[i], snapshot->xip[i], memory_order_release);
        atomic_store_explicit(&e->number, number.n, memory_order_release);
        atomic_store_explicit(&ring->next, (place + 1) % ring->polls, memory_order_relaxed);
}

void ring_clear(struct ring *ring)
{
        if (MUTANT(RING_KEPT))
                return;
        for (uint32_t i = 0; i < ring->polls; i++)
                atomic_store_explicit(&ring->entries[i].number, 0, memory_order_release);
}
