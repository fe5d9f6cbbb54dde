/* Caches that are only imagined, over a sample of the keys: LRU at a few sizes around the present one, and every policy
 * at the present size. They see what L1 sees of the sampled keys, and their misses are counted. Not thread-safe; knows
 * no clock but what it is told. Private to cache/. */
#ifndef CACHE_IMAGINED_H
#define CACHE_IMAGINED_H

#include "cache/policy_auto.h"
#include "cache/reuse.h"
#include "cache/sample_ring.h"
#include "cache/shadow.h"
#include "cache/tally.h"

struct imagined_config {
        uint32_t samples; /* keys that the largest of the caches may have */
        /* Of whatever keys. */
        void (*totals)(void *context, struct whatif_totals *out);
        void *context;
};

struct imagined {
        struct imagined_config config;
        struct sampled_keys keys;
        struct reuse reuse;
        struct shadow shadows[IMAGINED_SHADOWS];
        unsigned shadow_count;
        struct tally tally;
        struct policy_auto choice;
        uint64_t below;            /* keys whose hash is below this are in the sample; 2^32: all */
        struct whatif_totals told; /* to the tally */
        uint64_t max_entries;      /* of the present size; 0: bytes alone decide */
        uint64_t max_bytes;
        double entry_weight; /* on average; 0: not known yet */
};

/* Nothing is imagined before imagined_resize. ERR_NOMEM: nothing to deinit then. */
enum err imagined_init(struct imagined *im, const struct imagined_config *config) MUST_CHECK;
void imagined_deinit(struct imagined *im);

/* Size number `number` as a multiple of the present one. Pure. */
double imagined_scale(unsigned number);
/* Policy number `number`, as policy_auto numbers them. Pure. */
const struct policy_ops *imagined_policy(unsigned number);

/* The present size of the cache. Counting begins anew. */
void imagined_resize(struct imagined *im, uint64_t max_entries, uint64_t max_bytes);

/* Forgets all keys, and what was counted; all keys are in the sample, until they do not fit. */
void imagined_forget(struct imagined *im);

/* Something happened to a key; one that is not in the sample (any more) is passed over. `now` and the sample's expiry
 * are ticks of one clock. */
void imagined_take(struct imagined *im, const struct sample *sample, uint32_t now);

/* The share of all keys that is in the sample. */
double imagined_rate(const struct imagined *im);

/* Tells the tally of all look-ups till now: before it is read or faded. */
void imagined_settle(struct imagined *im);

/* What LRU would have hit at size number `number`, and policy number `number` at the present size. */
struct whatif_figure imagined_size_figure(const struct imagined *im, unsigned number);
struct whatif_figure imagined_policy_figure(const struct imagined *im, unsigned number);

#endif
