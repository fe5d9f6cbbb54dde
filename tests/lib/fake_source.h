/* A source of truth that does as it is told: values, a position, answers at once or held back, failures, counts of what
 * it was asked. Any thread. */
#ifndef TESTS_LIB_FAKE_SOURCE_H
#define TESTS_LIB_FAKE_SOURCE_H

#include "database/source.h"

struct fake_source;

/* Empty, at position 1 of history `epoch`, answering at once. */
struct fake_source *fake_source_create(uint64_t epoch);
/* Nothing may be held. Nulls; NULL-safe. */
void fake_source_destroy(struct fake_source **fake);
struct source *fake_source_as_source(struct fake_source *fake);

/* Commits a text as the value of that id, whatever type it is read as, at the next position, which is returned. A NULL
 * text: there is no such student. */
uint64_t fake_source_write(struct fake_source *fake, const char *id, const char *text);
/* A commit that changes nothing that is read here. */
uint64_t fake_source_advance(struct fake_source *fake);

/* Every read from now on fails with this code; OK ends that. */
void fake_source_fail(struct fake_source *fake, enum err code);
/* Reads give bytes that are no value. */
void fake_source_damage(struct fake_source *fake);

/* A replica that stays as the source is now: from now on it answers what need not be the primary's. Called again:
 * it has caught up. */
void fake_source_lag(struct fake_source *fake);
/* Which history reads are in from now on; 0: they cannot say. */
void fake_source_set_epoch(struct fake_source *fake, uint64_t epoch);
/* How long what is read from now on is true at most; 0: for ever. */
void fake_source_set_lives(struct fake_source *fake, struct nanos lives);
/* What is read from now on is confirmed by a synchronous replica, or is not. */
void fake_source_set_beaten(struct fake_source *fake, bool beaten);

/* From now on answers are held back: the data is what it is when the source is asked, `done` comes with release. */
void fake_source_hold(struct fake_source *fake);
/* Answers all that is held, on the calling thread, and goes on answering at once. */
void fake_source_release(struct fake_source *fake);

/* What was asked since creation. */
uint64_t fake_source_batches(struct fake_source *fake);
uint64_t fake_source_reads(struct fake_source *fake);
uint64_t fake_source_checks(struct fake_source *fake); /* of the reads, those answered "unmodified" */
/* What was asked with the last read. */
struct fake_asked {
        bool primary_only;
        bool known; /* of a copy */
        struct nanos bound;
};
struct fake_asked fake_source_asked(struct fake_source *fake);

#endif
