/* The policy "wtinylfu": who comes in must have been asked for more often lately than who would have to go for it. */
#ifndef CACHE_POLICY_WTINYLFU_H
#define CACHE_POLICY_WTINYLFU_H

#include "cache/policy.h"

extern const struct policy_ops policy_wtinylfu;

#endif
