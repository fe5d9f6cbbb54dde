/* A cache that is nothing but a policy over an array of places, one for each key: key number k has place k. */
#ifndef TESTS_LIB_POLICY_CASE_H
#define TESTS_LIB_POLICY_CASE_H

#include "cache/policy.h"
#include "tests/lib/test.h"

enum { POLICY_CASE_KEYS_MAX = 4096 }; /* keys are 1 to this, less one */

struct policy_case {
        struct places places;
        struct place array[POLICY_CASE_KEYS_MAX];
        uint32_t weights[POLICY_CASE_KEYS_MAX];
        bool present[POLICY_CASE_KEYS_MAX];
        struct policy *policy;
        uint64_t capacity;
        uint64_t weight; /* of what is present */
};

/* An empty cache of places that weigh 1 each (c->weights may be changed). `capacity` 0: it has no bound. */
void policy_case_open(struct policy_case *c, const struct policy_ops *ops, uint64_t capacity);
/* Frees what it holds, whatever is in it. */
void policy_case_close(struct policy_case *c);

/* Adds key number `key`, which is not there, without making room. */
void policy_case_add(struct policy_case *c, uint32_t key);
/* Takes it out, not for want of room. */
void policy_case_remove(struct policy_case *c, uint32_t key);
/* Key number `to`, which is not there, is a newer state of `from`, which is, and goes. */
void policy_case_replace(struct policy_case *c, uint32_t from, uint32_t to);
/* Evicts the victim and returns its number; 0 when there is none. */
uint32_t policy_case_evict(struct policy_case *c, uint32_t for_key);

/* A read: a use if the key is there; else room is made and it comes in. Says whether it was a hit. */
bool policy_case_read(struct policy_case *c, uint32_t key);

/* A cache written plainly, of which the same is expected as of the policy. */
struct policy_reference {
        bool (*read)(void *context, uint32_t key);
        void (*remove)(void *context, uint32_t key); /* which is there; NULL: none is taken out */
        void *context;
};

/* Reads keys of a skewed choice from both for a long while, and takes one out now and then; fails at the first read
 * that is a hit in one and a miss in the other. */
void assert_reads_as(struct policy_case *c, const struct policy_reference *reference);

/* Reads the keys of `trace`, a letter each ('a' is key 1), and fails unless `outcome` says for each whether it was a
 * hit: '+' or '.'. */
void assert_reads(struct policy_case *c, const char *trace, const char *outcome);

/* Fails unless the walk names just these letters, in this order. */
void assert_walk(const struct policy_case *c, const char *order);

/* Evicts all, and fails unless they go in this order. */
void assert_leaves_in_order(struct policy_case *c, const char *order);

#endif
