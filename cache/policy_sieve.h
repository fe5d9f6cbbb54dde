/* The policy "sieve": one queue that nothing moves in; a hand goes round it and takes what was not used since it last
 * came by. */
#ifndef CACHE_POLICY_SIEVE_H
#define CACHE_POLICY_SIEVE_H

#include "cache/policy.h"

extern const struct policy_ops policy_sieve;

#endif
