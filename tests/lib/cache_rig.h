/* The tiers of one node around a fake source and a fake clock, and shorthand for reading through them. */
#ifndef TESTS_LIB_CACHE_RIG_H
#define TESTS_LIB_CACHE_RIG_H

#include "cache/lookup.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_source.h"
#include "tests/lib/test.h"

enum { RIG_EPOCH = 77, RIG_FILLS_MAX = 200 };

struct rig {
        struct event_base *base;
        struct fake_source *fake;
        struct freshness *freshness;
        struct l1 *l1;
        struct tiers *tiers;
        struct reader *reader;
        uint64_t touched[8]; /* polled: hashes of what was written since the last poll */
        size_t touched_count;
        bool heartbeats;
};

/* Two types as the shipped ones are: ttl 60 s and the default, bound 0. */
extern const struct record_type rig_student;
extern const struct record_type rig_allergies;

/* All of it, the clock at 1000 s, L1 of 1 MB, TTLs without jitter, default 30 s. */
void rig_init(struct rig *rig);
void rig_deinit(struct rig *rig);
/* The same around a polled source; bound 1 s, reads again within 500 ms. `heartbeats`: it has synchronous replicas. No
 * poll has been made yet. */
void rig_init_polled(struct rig *rig, bool heartbeats);
/* A poll is sent now, sees all that was written, and is published. */
void rig_poll(struct rig *rig);

/* A commit of allergies of `id` as the source and the freshness layer would see it; returns its token. */
struct token rig_write(struct rig *rig, const char *id, const char *text);

/* A read of that key in JSON, invoked now. Its `done` counts in *(int *)context where that is set. */
struct lookup rig_lookup(const struct record_type *type, const char *id);

/* Starts a read of allergies of `id`, which the source has answered but holds back until fake_source_release. */
void rig_start_held(struct rig *rig, struct lookup *lookup, const char *id);

/* Runs what is ready on the rig's loop. */
void rig_tick(struct rig *rig);

/* Starts it, and runs the loop until it is done. */
void rig_read(struct rig *rig, struct lookup *lookup);

/* Reads allergies of `id` and checks value (NULL: no such student) and tier. */
void rig_expect(struct rig *rig, const char *id, const char *json, enum tier tier);

#endif
