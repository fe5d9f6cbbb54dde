/* Who goes first where there are not cores enough for all threads: reads of clients before writes, and both before bulk
 * work. With cores to spare it makes no difference. */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

/* As `nice` has it: higher is later. Threads that serve reads are at 0. */
enum priority { PRIORITY_WRITES = 5, PRIORITY_BULK = 10 };

/* From now on the calling thread, and those that it starts, go behind the others so far, and leave the first of the
 * process's cores to them, if there are two; for good. Does nothing for a thread that is as far behind already, or
 * where the system does not let it. Linux: nice values and cores are threads' own (sched(7)). */
void priority_lower(enum priority priority);

/* For the inner loops of bulk work, once a row or so: now and then a moment for those that the calling thread's core
 * is wanted by. A kernel that takes cores away lazily (PREEMPT_LAZY of Linux 6.12 on) does so when the thread next
 * enters it, or else at the timer's next tick, up to 4 ms later; rows that are computed on enter it hardly ever.
 * Costs a few nanoseconds a call. Any thread. */
void priority_pause(void);

#endif
