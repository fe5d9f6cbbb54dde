#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
        struct timespec now = {0, 0};

        (void)clock_gettime(id, &now); /* fails only for an unknown clock id */
        return now;
}

struct nanos clock_boot(void)
{
        struct timespec now = read_clock(CLOCK_BOOTTIME);

        return (struct nanos){now.tv_sec * NANOS_PER_S + now.tv_nsec};
}

struct wall clock_wall(void)
{
        struct timespec now = read_clock(CLOCK_REALTIME);

        return (struct wall){now.tv_sec * 1000 + now.tv_nsec / NANOS_PER_MS};
}

void clock_format(struct wall when, char *text)
{
        time_t seconds = (time_t)(when.ms / 1000);
        struct tm parts;
        size_t used;

        (void)gmtime_r(&seconds, &parts);
        used = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
        (void)snprintf(text + used, CLOCK_TEXT_SIZE - used, ".%03dZ", (int)(when.ms % 1000));
}
