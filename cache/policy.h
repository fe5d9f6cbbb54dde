/* Which entry goes when there is no room: a small interface, so that L1's shards do not know how it is decided. One
 * policy object per shard, called under that shard's lock only, so no implementation needs one of its own.
 *
 * An entry carries one `struct list` (its place) that the policy may use as it likes between added() and removed(). No
 * call allocates but create(). */
#ifndef CACHE_POLICY_H
#define CACHE_POLICY_H

#include "base/err.h"
#include "base/list.h"

#include <stdint.h>

struct policy;

struct policy_ops {
        const char *name; /* as in the configuration: cache.l1.policy */
        /* ERR_NOMEM; *out is NULL then. */
        enum err (*create)(struct policy **out);
        void (*added)(struct policy *policy, struct list *place);
        void (*used)(struct policy *policy, struct list *place);
        void (*removed)(struct policy *policy, struct list *place);
        /* The place of the entry that is to go next, which stays where it is; NULL when there is none. */
        struct list *(*victim)(struct policy *policy);
        /* Frees the policy, not what is in it; nulls; NULL-safe. */
        void (*destroy)(struct policy **policy);
};

/* Every implementation's struct begins with this. */
struct policy {
        uint32_t magic;
        const struct policy_ops *ops;
};

#define POLICY_MAGIC 0x70711c79u

/* The policy of that name, or NULL. Any thread; the result lives for ever. */
const struct policy_ops *policy_find(const char *name);

/* All names with ", " between them, for the message about a name that is not there. Any thread. */
const char *policy_names(void);

#endif
