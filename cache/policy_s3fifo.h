/* The policy "s3fifo": a small queue in which newcomers prove themselves, a main one, and the memory of what went. */
#ifndef CACHE_POLICY_S3FIFO_H
#define CACHE_POLICY_S3FIFO_H

#include "cache/policy.h"

extern const struct policy_ops policy_s3fifo;

#endif
