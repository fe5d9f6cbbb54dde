#include "base/lock.h"

#include "base/hot.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whoever has waited takes the lock as awaited, for others may still wait: at worst that wakes nobody once. FUTEX_WAIT
 * returns at once, or for no reason: both only lead round once more. */
COLD_PATH void lock_await(struct lock *lock)
{
        while (atomic_exchange_explicit(&lock->state, LOCK_AWAITED, memory_order_acquire) != LOCK_FREE)
                (void)syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, LOCK_AWAITED, NULL, NULL, 0);
}

COLD_PATH void lock_wake(struct lock *lock)
{
        (void)syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
