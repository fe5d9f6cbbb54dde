#include "base/priority.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

void priority_lower(enum priority priority)
{
        const id_t self = (id_t)gettid();
        int now;

        errno = 0;
        now = getpriority(PRIO_PROCESS, self);
        if (errno == 0 && now < (int)priority)
                (void)setpriority(PRIO_PROCESS, self, (int)priority);
}
