/* A boot clock that stands still until it is told to go on. One for the program, as the real one is; any thread. */
#ifndef TESTS_LIB_FAKE_CLOCK_H
#define TESTS_LIB_FAKE_CLOCK_H

#include "base/clock.h"

/* In place of clock_boot. */
struct nanos fake_clock(void);

void fake_clock_set(struct nanos now);
/* Returns the time after that. */
struct nanos fake_clock_advance(struct nanos by);

#endif
