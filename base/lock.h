/* A lock for a few dozen instructions' work: 4 bytes, one atomic instruction to take it and one to give it back, where
 * a pthread mutex, which can be of many kinds, takes sixty instructions to find out that it is an ordinary one. Who
 * finds it taken sleeps: should its holder lose the processor, nobody burns the time slice that the holder needs.
 *
 * The states and their order are those of U. Drepper, "Futexes Are Tricky" (2011), section 6, mutex 3. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

enum { LOCK_FREE, LOCK_TAKEN, LOCK_AWAITED };

/* Zeroed: free. */
struct lock {
        _Atomic uint32_t state;
};

/* Sleeps until it is the caller's. For lock_take. */
void lock_await(struct lock *lock);

/* Wakes one of those who sleep. For lock_give. */
void lock_wake(struct lock *lock);

/* Any thread that does not hold it. */
static inline void lock_take(struct lock *lock)
{
        uint32_t free = LOCK_FREE;

        if (!atomic_compare_exchange_strong_explicit(
                    &lock->state, &free, LOCK_TAKEN, memory_order_acquire, memory_order_relaxed))
                lock_await(lock);
}

/* The thread that holds it. */
static inline void lock_give(struct lock *lock)
{
        if (atomic_exchange_explicit(&lock->state, LOCK_FREE, memory_order_release) == LOCK_AWAITED)
                lock_wake(lock);
}

#endif
