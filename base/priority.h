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

#endif
