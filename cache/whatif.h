/* What if L1 had more memory, or less, or another policy? Answers from a sample of the keys: what caches of those sizes
 * and policies would hit of them (cache/imagined.h). And the advice behind the policy "auto".
 *
 * L1 tells of each key whose hash is below the threshold; that one comparison is all that other keys cost. Of keys only
 * the 32-bit hash is kept. What is told is taken in at once by the thread that tells it, or, if another is at it just
 * then, by that one: no one waits. Calls are any thread's but where it says otherwise. */
#ifndef CACHE_WHATIF_H
#define CACHE_WHATIF_H

#include "base/clock.h"
#include "cache/policy.h"
#include "cache/sample_ring.h"
#include "cache/whatif_report.h"

struct whatif;

struct whatif_config {
        uint32_t samples;            /* keys in the sample at most */
        struct nanos half_life;      /* what was looked up so long ago counts half */
        struct nanos (*clock)(void); /* clock_boot; tests bring their own */
        _Atomic uint64_t *below;     /* the threshold, kept up to date: hashes below it are in the sample; 0: none */
        /* Called by any thread. */
        void (*totals)(void *context, struct whatif_totals *out);
        /* `best` has begun to do better than the policy that was best before. Called by any thread, with locks held:
         * it may only note it. */
        void (*advise)(void *context, const struct policy_ops *best);
        void *context;
};

/* ERR_NOMEM; *out is NULL then. It knows of no memory before whatif_resize. */
enum err whatif_create(struct whatif **out, const struct whatif_config *config) MUST_CHECK;
/* No other call is under way. Nulls; NULL-safe. */
void whatif_destroy(struct whatif **whatif);

/* The present bounds of the cache; max_entries 0: bytes alone decide. Where they change,
 * counting begins anew. May wait for a short lock. */
void whatif_resize(struct whatif *whatif, uint64_t max_entries, uint64_t max_bytes);

/* Off: the threshold is 0, and what was seen is forgotten. It is on at first. May wait for a short lock. */
void whatif_switch(struct whatif *whatif, bool on);

/* The policy that does best by now. May wait for a short lock. */
const struct policy_ops *whatif_advice(struct whatif *whatif);

/* Something happened to a key whose hash is below the threshold. Allocates next to nothing, never waits. */
void whatif_note(struct whatif *whatif, const struct sample *sample);

/* The moment of `when` as samples have it. Pure. */
uint32_t whatif_tick(struct nanos when);

/* May wait for a short lock. */
void whatif_read(struct whatif *whatif, struct whatif_report *out);

#endif
