/* The policy "lru": what was not used for the longest time goes first. Exact within a shard. */
#ifndef CACHE_POLICY_LRU_H
#define CACHE_POLICY_LRU_H

#include "cache/policy.h"

extern const struct policy_ops policy_lru;

#endif
