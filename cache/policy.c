#include "cache/policy.h"

#include "cache/policy_lru.h"
#include "cache/policy_s3fifo.h"
#include "cache/policy_sieve.h"
#include "cache/policy_wtinylfu.h"

#include <string.h>

/* A new policy joins with a row here and its name in policy_names. */
static const struct policy_ops *const policies[] = {&policy_lru, &policy_sieve, &policy_s3fifo, &policy_wtinylfu};

const struct policy_ops *policy_find(const char *name)
{
        for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
                if (strcmp(policies[i]->name, name) == 0)
                        return policies[i];
        return NULL;
}

const char *policy_names(void)
{
        return "lru, sieve, s3fifo, wtinylfu";
}
