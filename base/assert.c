#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *promise, const char *file, int line)
{
        fprintf(stderr, "vitalcache: broken promise: %s (%s:%d)\n", promise, file, line);
        abort();
}
