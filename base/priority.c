#include "base/priority.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where cores are few, a thread at work is in the way of one that wakes up to answer, whatever their nice values: it
 * keeps its core to the end of its slice, some milliseconds. So one core is left to those who answer. */
static void leave_a_core(void)
{
        cpu_set_t cores;

        if (sched_getaffinity(0, sizeof(cores), &cores) != 0 || CPU_COUNT(&cores) < 2)
                return;
        for (size_t core = 0; core < CPU_SETSIZE; core++) {
                if (!CPU_ISSET(core, &cores))
                        continue;
                CPU_CLR(core, &cores);
                break;
        }
        (void)sched_setaffinity(0, sizeof(cores), &cores);
}

void priority_lower(enum priority priority)
{
        const id_t self = (id_t)gettid();
        int now;

        errno = 0;
        now = getpriority(PRIO_PROCESS, self);
        if (errno != 0 || now >= (int)priority)
                return;
        (void)setpriority(PRIO_PROCESS, self, (int)priority);
        leave_a_core();
}

void priority_pause(void)
{
        enum { PASSES = 32 }; /* rows take a microsecond or two each */
        static _Thread_local unsigned passed;

        if (++passed % PASSES == 0)
                (void)syscall(SYS_gettid); /* any call that the C library does not answer by itself */
}
